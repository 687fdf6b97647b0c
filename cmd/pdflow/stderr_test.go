package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestX1NothingAroundTheMasking: a server sends the key back where package net/http does
// not expect it, and net/http complains with what it got. None of it reaches an output.
func TestX1NothingAroundTheMasking(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pdflow := filepath.Join(t.TempDir(), "pdflow") // the tests' own binary is the program under this name
	if err := os.Symlink(binary, pdflow); err != nil {
		t.Skip(err)
	}
	workflow := filepath.Join(t.TempDir(), "two.yaml")
	const source = "permissions: {http: [\"http://%s\"]}\nsecrets: {TOKEN: {hosts: [127.0.0.1]}}\n" +
		"steps: [{id: one, uses: http.get, with: {url: \"http://%s/\", auth: {bearer: \"${{ secrets.TOKEN }}\"}}}, {id: two, uses: time.sleep, with: {duration: 100ms}}, {id: three, uses: http.get, with: {url: \"http://%s/\", auth: {bearer: \"${{ secrets.TOKEN }}\"}}}]\n"
	for name, answer := range map[string]string{
		"a body after 204":  "HTTP/1.1 204 No Content\r\n\r\n",
		"more than a body":  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"a second response": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nX: ",
	} {
		address := echoing(t, answer)
		if err := os.WriteFile(workflow, []byte(strings.ReplaceAll(source, "%s", address)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"connection", "test"}, {"connection", "test", "-o", "json"}, {"run", "--no-journal", workflow}, {"run", "--no-journal", "-o", "json", workflow},
		} {
			t.Run(name+" "+strings.Join(args, " "), func(t *testing.T) {
				c := exec.Command(pdflow, args...)
				c.Env = append(os.Environ(), "PAGERDUTY_API_KEY="+scriptKeys["API_KEY"], "TOKEN="+scriptKeys["TOKEN"], "PAGERDUTY_API_URL=http://"+address,
					"PAGERDUTY_EVENTS_URL=http://"+address, "XDG_CONFIG_HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir())
				var output bytes.Buffer
				c.Stdout, c.Stderr = &output, &output
				_ = c.Run() // such answers may fail
				if output.Len() == 0 {
					t.Error("there is no output")
				}
				for _, part := range []string{scriptKeys["API_KEY"], scriptKeys["TOKEN"], "Unsolicited response"} {
					if strings.Contains(output.String(), part) {
						t.Errorf("the output has %q:\n%s", part, &output)
					}
				}
			})
		}
	}
}

// echoing serves HTTP. After each answer it sends the credentials of the request.
func echoing(t *testing.T, answer string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(c, answer+r.Header.Get("Authorization")+"\r\n")
				}
			}()
		}
	}()
	return listener.Addr().String()
}
