package main

import (
	"bufio"
	"fmt"
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
// not expect it, and net/http complains with what it got. None of it reaches an output: of a
// command, or of a daemon with its alerts and its heartbeat.
func TestX1NothingAroundTheMasking(t *testing.T) {
	for name, answer := range map[string]string{
		"a body after 204":  "HTTP/1.1 204 No Content\r\n\r\n",
		"more than a body":  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"a second response": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nX: ",
		"a refusal":         "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}",
	} {
		p := newProcess(t, echoing(t, answer))
		for _, args := range [][]string{
			{"connection", "test"}, {"connection", "test", "-o", "json"}, {"run", "--no-journal", p.file}, {"run", "--no-journal", "-o", "json", p.file},
		} {
			t.Run(name+" "+strings.Join(args[:2], " "), func(t *testing.T) {
				output, _ := p.command(args...).CombinedOutput() // such answers may fail
				checkMasked(t, string(output))
			})
		}
		t.Run(name+" serve", func(t *testing.T) {
			daemon := p.command("serve", "--config", p.config, "--data-dir", p.data, p.folder)
			stderr, err := daemon.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			daemon.Stdout = daemon.Stderr
			if err := daemon.Start(); err != nil {
				t.Fatal(err)
			}
			defer daemon.Process.Kill()
			var log strings.Builder
			lines := bufio.NewScanner(stderr)
			for lines.Scan() {
				fmt.Fprintln(&log, lines.Text())
				switch line := lines.Text(); {
				case strings.Contains(line, "msg=serving"):
					if out, err := p.command("schedule", "run-now", "--data-dir", p.data, "two").CombinedOutput(); err != nil {
						t.Errorf("%v\n%s", err, out)
					}
				case strings.Contains(line, `msg="run finished"`):
					_ = daemon.Process.Signal(os.Interrupt)
				}
			}
			_ = daemon.Wait()
			checkMasked(t, log.String())
			for _, args := range [][]string{{"runs", "list"}, {"runs", "list", "-o", "json"}} {
				output, err := p.command(append(args, "--data-dir", p.data)...).CombinedOutput()
				if err != nil {
					t.Error(err)
				}
				checkMasked(t, string(output))
			}
		})
	}
}

// checkMasked fails the test if an output is empty, has a key or has a complaint of net/http.
func checkMasked(t *testing.T, output string) {
	t.Helper()
	if output == "" {
		t.Error("there is no output")
	}
	for _, part := range []string{scriptKeys["API_KEY"], scriptKeys["SERVICE_KEY"], scriptKeys["TOKEN"], "Unsolicited response"} {
		if strings.Contains(output, part) {
			t.Errorf("the output has %q:\n%s", part, output)
		}
	}
}

// A process is the program, with a folder that has a workflow, and a server for everything
// that it calls.
type process struct {
	t                          *testing.T
	program                    string
	address                    string
	folder, file, config, data string
}

func newProcess(t *testing.T, address string) process {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	p := process{t, filepath.Join(base, "pdflow"), address, filepath.Join(base, "w"), filepath.Join(base, "w", "two.yaml"), filepath.Join(base, "pdflow.yaml"), filepath.Join(base, "data")}
	if err := os.Symlink(binary, p.program); err != nil { // the tests' own binary is the program under this name
		t.Skip(err)
	}
	const workflow = `permissions: {http: ["http://%s"]}
secrets: {TOKEN: {hosts: [127.0.0.1]}}
schedule: "@yearly"
steps:
  - {id: one, uses: http.get, with: {url: "http://%s/", auth: {bearer: "${{ secrets.TOKEN }}"}}}
  - {id: two, uses: time.sleep, with: {duration: 100ms}}
  - {id: three, uses: http.get, with: {url: "http://%s/", auth: {bearer: "${{ secrets.TOKEN }}"}}}
  - id: fails
    lua: |
      error("the site is down: " .. steps.three.outputs.body)
`
	const config = `alerts: {connection: default}
heartbeat: {url: "http://%s/beat", every: 1m}
`
	if err := os.Mkdir(p.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{p.file: workflow, p.config: config} {
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "%s", address)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p process) command(args ...string) *exec.Cmd {
	c := exec.Command(p.program, args...)
	c.Env = append(os.Environ(), "PAGERDUTY_API_KEY="+scriptKeys["API_KEY"], "PAGERDUTY_SERVICE_KEY="+scriptKeys["SERVICE_KEY"], "TOKEN="+scriptKeys["TOKEN"],
		"PAGERDUTY_API_URL=http://"+p.address, "PAGERDUTY_EVENTS_URL=http://"+p.address, "XDG_CONFIG_HOME="+p.t.TempDir(), "XDG_STATE_HOME="+p.t.TempDir())
	return c
}

// echoing serves HTTP. After each answer it sends the credentials and the body of the request.
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
					body, _ := io.ReadAll(r.Body)
					_, _ = io.WriteString(c, answer+r.Header.Get("Authorization")+string(body)+"\r\n")
				}
			}()
		}
	}()
	return listener.Addr().String()
}
