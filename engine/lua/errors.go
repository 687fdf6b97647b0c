package lua

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	glua "github.com/yuin/gopher-lua"
)

// raised is an error that is a table of the script: that of an action, or one of
// its own making.
type raised struct {
	table *glua.LTable
	err   *action.Error // nil for the script's own
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
		text := errorText(t.RawGetString("message"))
		if name, ok := t.RawGetString("action").(glua.LString); ok {
			text = string(name) + ": " + text
		}
		L.Push(glua.LString(text))
		return 1
	}))
	return meta
}

// errorText is the message of an error table, which a script may have set to
// anything: only text and numbers are shown.
func errorText(v glua.LValue) string {
	switch v := v.(type) {
	case glua.LString:
		return string(v)
	case glua.LNumber:
		return action.FormatNumber(float64(v))
	}
	return v.Type().String()
}

// raise raises the error of an action as a table.
func (e *evaluation) raise(L *glua.LState, err *action.Error) {
	t := L.CreateTable(0, 7)
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
	e.remember(L, t, err, 1)
	L.Error(t, 1)
}

// remember keeps where a table was first raised, and for which error.
func (e *evaluation) remember(L *glua.LState, t *glua.LTable, err *action.Error, level int) {
	if slices.ContainsFunc(e.raised, func(r raised) bool { return r.table == t }) {
		return // it is raised again
	}
	place := where(L, level)
	for i := len(e.callers) - 1; i >= 0 && place == ""; i-- {
		place = where(e.callers[i], 1) // it was raised by what pcall called directly
	}
	record := raised{table: t, err: err}
	record.file, record.line, _ = splitPosition(place)
	if len(e.raised) == maxRaised {
		e.raised = slices.Delete(e.raised, 0, 1)
	}
	e.raised = append(e.raised, record)
}

// raiseValue is Lua's error(value, level). gopher-lua's takes level 2 for 1, and
// does not say where a table was raised.
func raiseValue(L *glua.LState) int {
	value, level := L.CheckAny(1), L.OptInt(2, 1)
	switch value := value.(type) {
	case glua.LString:
		if level > 0 {
			budgetOf(L).allocate(L, int64(len(value)))
			value = glua.LString(strings.TrimPrefix(where(L, level)+" ", " ")) + value
		}
		L.Error(value, 0)
	case *glua.LTable:
		evaluationOf(L).remember(L, value, nil, max(level, 1))
	}
	L.Error(value, 0)
	return 0
}

// assert is Lua's; what it raises may be any value, so that assert(pcall(f))
// keeps an error as it is.
func assert(L *glua.LState) int {
	if L.ToBool(1) {
		return L.GetTop()
	}
	L.CheckAny(1)
	if L.GetTop() < 2 {
		L.RaiseError("assertion failed!")
	}
	if text, ok := L.Get(2).(glua.LString); ok {
		L.RaiseError("%s", string(text))
	}
	if t, ok := L.Get(2).(*glua.LTable); ok {
		evaluationOf(L).remember(L, t, nil, 1)
	}
	L.Error(L.Get(2), 0)
	return 0
}

// failure turns what ended a program into an error with its place.
func (e *evaluation) failure(p *program, err error) error {
	if reason := e.budget.stop(); reason != nil {
		stopped := &attempt.ScriptError{File: p.file, Err: reason}
		raised := e.stopped
		if api, ok := err.(*glua.ApiError); ok && raised == nil {
			raised = api.Object
		}
		if raised != nil {
			stopped.File, stopped.Line, _ = e.place(p, raised)
		}
		return stopped
	}
	api, ok := err.(*glua.ApiError)
	if !ok {
		return &attempt.ScriptError{File: p.file, Err: action.AsError(err)}
	}
	if t, ok := api.Object.(*glua.LTable); ok {
		return e.tableFailure(p, t)
	}
	if _, ok := api.Object.(glua.LString); !ok {
		message := "the script raised " + e.interpreter.library.text(e.state, api.Object)
		return &attempt.ScriptError{File: p.file, Err: &action.Error{Kind: action.Script, Message: message}}
	}
	file, line, message := e.place(p, api.Object)
	return &attempt.ScriptError{File: file, Line: line, Err: &action.Error{Kind: action.Script, Message: message}}
}

// place splits the place off a message of Lua: where it begins with that of one
// of our own files, since "db:5432: refused" has none.
func (e *evaluation) place(p *program, message glua.LValue) (file string, line int, rest string) {
	text := clip(message.String(), maxErrorText)
	file, line, rest = splitPosition(text)
	known := file == p.file
	for _, module := range e.env.Modules {
		m, ok := module.(*program)
		known = known || ok && m.file == file
	}
	if !known {
		return p.file, 0, text
	}
	return file, line, rest
}

func orName(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

// tableFailure is the failure of a script by a table: the error of an action,
// passed on, or the script's own error{...}. The script may have changed what it
// passes on.
func (e *evaluation) tableFailure(p *program, t *glua.LTable) error {
	err := action.Error{Kind: action.Script, Message: "the script raised a table without a message"}
	file, line := p.file, 0
	for _, r := range e.raised {
		if r.table != t {
			continue
		}
		file, line = orName(r.file, p.file), r.line
		if r.err != nil {
			err = *r.err
		}
	}
	if message, ok := t.RawGetString("message").(glua.LString); ok {
		err.Message = clip(string(message), maxErrorText)
	}
	if kind, ok := t.RawGetString("kind").(glua.LString); ok && slices.Contains(action.Kinds(), action.Kind(kind)) {
		err.Kind = action.Kind(kind)
	}
	return &attempt.ScriptError{File: file, Line: line, Err: &err}
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
