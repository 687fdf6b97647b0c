package lua

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

// raised is an error of an action that became a table of the script.
type raised struct {
	table *glua.LTable
	err   *action.Error
	file  string
	line  int
}

// maxRaised bounds how many errors an evaluation remembers; a loop of pcall may
// raise without end.
const maxRaised = 64

// newErrorMeta is the metatable of error tables: tostring(err) reads well.
func (lib *library) newErrorMeta(L *glua.LState) *glua.LTable {
	meta := protected(L, nil)
	meta.RawSetString("__tostring", L.NewFunction(func(L *glua.LState) int {
		t := L.CheckTable(1)
		text := t.RawGetString("message").String()
		if name, ok := t.RawGetString("action").(glua.LString); ok {
			text = string(name) + ": " + text
		}
		L.Push(glua.LString(text))
		return 1
	}))
	return meta
}

// raise raises the error of an action as a table.
func (e *evaluation) raise(L *glua.LState, err *action.Error) {
	t := L.NewTable()
	t.Metatable = e.interpreter.library.errorMeta
	t.RawSetString("kind", glua.LString(err.Kind))
	t.RawSetString("message", glua.LString(err.Message))
	t.RawSetString("retryable", glua.LBool(err.Kind.Retryable()))
	if err.Action != "" {
		t.RawSetString("action", glua.LString(err.Action))
	}
	if err.Status != 0 {
		t.RawSetString("status", glua.LNumber(err.Status))
	}
	if err.Code != 0 {
		t.RawSetString("code", glua.LNumber(err.Code))
	}
	if err.Hint != "" {
		t.RawSetString("hint", glua.LString(err.Hint))
	}
	record := raised{table: t, err: err}
	record.file, record.line = position(L.Where(1))
	if len(e.raised) == maxRaised {
		e.raised = slices.Delete(e.raised, 0, 1)
	}
	e.raised = append(e.raised, record)
	L.Error(t, 1)
}

// failure turns what ended a program into an error with its place.
func (e *evaluation) failure(p *program, err error) error {
	if reason := e.budget.stop(); reason != nil {
		file, line := e.stoppedAt(err)
		return &engine.ScriptError{File: orName(file, p.file), Line: line, Err: reason}
	}
	api, ok := err.(*glua.ApiError)
	if !ok {
		return &engine.ScriptError{File: p.file, Err: action.AsError(err)}
	}
	if t, ok := api.Object.(*glua.LTable); ok {
		return e.tableFailure(p, t)
	}
	file, line, message := splitPosition(clip(api.Object.String(), maxErrorText))
	if data, ok := api.Object.(*glua.LUserData); ok {
		message = e.interpreter.library.text(e.state, data)
	}
	return &engine.ScriptError{File: orName(file, p.file), Line: line, Err: &action.Error{Kind: action.Script, Message: message}}
}

// stoppedAt finds the line at which a script was stopped.
func (e *evaluation) stoppedAt(err error) (string, int) {
	if api, ok := err.(*glua.ApiError); ok {
		file, line, _ := splitPosition(api.Object.String())
		return file, line
	}
	return "", 0
}

func orName(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

// tableFailure is the failure of a script by error{...}: of an action, passed on
// as it is, or of the script's own making.
func (e *evaluation) tableFailure(p *program, t *glua.LTable) error {
	for _, r := range e.raised {
		if r.table == t {
			return &engine.ScriptError{File: orName(r.file, p.file), Line: r.line, Err: r.err}
		}
	}
	err := &action.Error{Kind: action.Script, Message: "the script raised a table without a message"}
	if message, ok := t.RawGetString("message").(glua.LString); ok {
		err.Message = clip(string(message), maxErrorText)
	}
	if kind, ok := t.RawGetString("kind").(glua.LString); ok && slices.Contains(action.Kinds(), action.Kind(kind)) {
		err.Kind = action.Kind(kind)
	}
	return &engine.ScriptError{File: p.file, Err: err}
}

var positionPattern = regexp.MustCompile(`^(.+?):(\d+): ?`)

// splitPosition splits the "file:line: " off a message of Lua.
func splitPosition(text string) (file string, line int, message string) {
	m := positionPattern.FindStringSubmatch(text)
	if m == nil {
		return "", 0, text
	}
	line, _ = strconv.Atoi(m[2])
	return m[1], line, strings.TrimPrefix(text, m[0])
}

func position(where string) (string, int) {
	file, line, _ := splitPosition(where)
	return file, line
}
