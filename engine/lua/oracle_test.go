package lua_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/lua"
	glua "github.com/yuin/gopher-lua"
)

// driver is the script that PUC Lua 5.1 runs: it reads a line of source, runs it and
// prints a line with its values, again and again.
const driver = `
io.stdout:setvbuf("line")
local function text(v)
  if type(v) == "number" then return "n" .. string.format("%.17g", v) end
  if type(v) == "string" then return "s" .. v:gsub(".", function(c) return string.format("%02x", c:byte()) end) end
  return type(v) .. (type(v) == "boolean" and tostring(v) or "")
end
local function answer(ok, ...)
  if not ok then return "error" end
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = text((select(i, ...))) end
  return table.concat(parts, " ")
end
for line in io.lines() do
  local chunk = loadstring(line)
  print(chunk and answer(pcall(chunk)) or "syntax")
end`

// An oracle is a process of PUC Lua 5.1, with which our results are compared.
type oracle struct {
	t           testing.TB
	in          io.WriteCloser
	out         *bufio.Scanner
	interpreter *lua.Interpreter
	wrong       int
}

// newOracle starts a process, or skips the test where lua5.1 is not installed.
func newOracle(t testing.TB) *oracle {
	t.Helper()
	path, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed (Debian: apt-get install lua5.1): our functions are not compared with it")
	}
	command := exec.Command(path, "-e", driver)
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := command.Wait(); err != nil {
			t.Errorf("lua5.1 ended with %v", err)
		}
	})
	scanner := bufio.NewScanner(out)
	scanner.Buffer(nil, 1<<20)
	return &oracle{t: t, in: in, out: scanner, interpreter: newMachine(t).interpreter}
}

// ask returns the values that a line of source has in lua5.1.
func (o *oracle) ask(source string) []string {
	o.t.Helper()
	if strings.Contains(source, "\n") {
		o.t.Fatalf("%q is more than a line", source)
	}
	if _, err := io.WriteString(o.in, source+"\n"); err != nil {
		o.t.Fatal(err)
	}
	if !o.out.Scan() {
		o.t.Fatalf("%s\nlua5.1 ended: %v", source, o.out.Err())
	}
	return strings.Fields(o.out.Text())
}

// ours returns the values that it has here, written in the same way.
func (o *oracle) ours(source string) []string {
	values, err := o.interpreter.Raw(source, 10_000_000)
	if err != nil {
		return []string{"error"}
	}
	var words []string
	for _, v := range values {
		words = append(words, word(v))
	}
	return words
}

func word(v glua.LValue) string {
	switch v := v.(type) {
	case glua.LNumber:
		return "n" + strconv.FormatFloat(float64(v), 'g', 17, 64)
	case glua.LString:
		return "s" + hex.EncodeToString([]byte(v))
	case glua.LBool:
		return fmt.Sprintf("boolean%v", bool(v))
	}
	return v.Type().String()
}

// compare reports a difference between the two. Numbers may differ by the tolerance,
// which is relative to their size.
func (o *oracle) compare(source string, tolerance float64) {
	o.t.Helper()
	want, got := o.ask(source), o.ours(source)
	same := len(want) == len(got)
	for i := 0; same && i < len(want); i++ {
		same = sameWord(want[i], got[i], tolerance)
	}
	if !same {
		if o.wrong++; o.wrong > 20 {
			o.t.Fatal("and perhaps others")
		}
		o.t.Errorf("%s\ngot  %s\nwant %s", source, readable(got), readable(want))
	}
}

func sameWord(want, got string, tolerance float64) bool {
	if want == got {
		return true
	}
	if want[0] != 'n' || got[0] != 'n' || want == "nil" || got == "nil" {
		return false
	}
	a, errA := strconv.ParseFloat(strings.Replace(want[1:], "-nan", "nan", 1), 64)
	b, errB := strconv.ParseFloat(got[1:], 64)
	if errA != nil || errB != nil {
		return false
	}
	return a == b && math.Signbit(a) == math.Signbit(b) || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance*math.Abs(a)
}

// readable shows words with their texts spelled out.
func readable(words []string) string {
	var parts []string
	for _, w := range words {
		if text, err := hex.DecodeString(strings.TrimPrefix(w, "s")); err == nil && w[0] == 's' {
			w = strconv.Quote(string(text))
		}
		parts = append(parts, w)
	}
	return strings.Join(parts, ", ")
}

// literal returns text as a string literal of Lua on one line.
func literal(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, "\\%03d", c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
