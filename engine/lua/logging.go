package lua

import (
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua/stdlib"
	"github.com/pdflow/pdflow/engine/phrase"
	glua "github.com/yuin/gopher-lua"
)

const (
	logModule = "log"
	// maxLogged bounds what one attempt logs, in bytes.
	maxLogged = 64 << 10
	// lineBytes is what a line counts in addition to its text, because each line is an
	// event of the run.
	lineBytes = 64
)

// printLine is print(...). It logs its arguments, separated by blanks.
func printLine(L *glua.LState) int {
	e := evaluationOf(L)
	log, ok := e.interpreter.catalog.Lookup(logModule + ".info")
	if !ok || e.silenced() {
		return 0
	}
	var line strings.Builder
	for i := 1; i <= L.GetTop() && line.Len() <= maxLogged; i++ {
		if i > 1 {
			line.WriteByte(' ')
		}
		e.budget.Charge(L, 1) // making the text of an argument is work too
		line.WriteString(clip(stdlib.Text(L, L.Get(i)), maxLogged))
	}
	e.budget.Allocate(L, int64(line.Len()))
	e.call(L, log, action.Object{"message": line.String()})
	return 0
}

// silenced reports whether the attempt has logged as much as it may. Further lines are
// left out without an error: a step must not fail because it reports its progress.
func (e *evaluation) silenced() bool { return e.logged > maxLogged }

// admit counts a line of the log and returns the lines to log: the line itself; or the
// part of it that still fits and a note that more is left out; or nothing.
func (e *evaluation) admit(input action.Object) (lines []action.Object) {
	if e.silenced() {
		return nil
	}
	room := maxLogged - e.logged
	e.logged += lineBytes + textSize(input)
	if !e.silenced() {
		return []action.Object{input}
	}
	if message, ok := input["message"].(string); ok && room > 0 && message != "" {
		lines = append(lines, action.Object{"message": clip(message, room)})
	}
	note := fmt.Sprintf("this attempt has logged %s, which is the limit; further lines are left out", phrase.Bytes(maxLogged))
	return append(lines, action.Object{"message": note})
}

// textSize is about how many bytes a value takes when it is written as JSON.
func textSize(v any) (size int) {
	switch v := v.(type) {
	case string:
		return len(v)
	case []any:
		for _, item := range v {
			size += textSize(item) + 1
		}
	case map[string]any:
		for name, item := range v {
			size += len(name) + textSize(item) + 2
		}
	default:
		return 8
	}
	return size
}
