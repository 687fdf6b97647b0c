package lua

import (
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

const (
	logModule = "log"
	// lineBytes is what a line counts beside its text: each is an event of the run.
	lineBytes = 64
)

// print logs its arguments, separated by blanks.
func (lib *library) print(L *glua.LState) int {
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
		e.budget.charge(L, 1) // a text may be what a function of the library makes of it
		line.WriteString(clip(lib.text(L, L.Get(i)), maxLogged))
	}
	e.budget.allocate(L, int64(line.Len()))
	e.call(L, log, action.Object{"message": line.String()})
	return 0
}

// silenced reports whether the attempt has logged all that it may. What more it
// logs is left out without an error: a step should not fail by telling what it
// does.
func (e *evaluation) silenced() bool { return e.logged > maxLogged }

// admit counts a line for the log. It returns what is to be logged, which is
// nothing, the line, or what there is room for and a last word.
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
	return append(lines, action.Object{"message": logLimitText()})
}

// logLimitText is the last line that an attempt logs when it logs too much.
func logLimitText() string {
	return fmt.Sprintf("this attempt has logged %s, the most that is kept; what follows is left out", sizeText(maxLogged))
}

// textSize is about how many bytes a value takes when it is written.
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
