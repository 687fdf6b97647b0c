package lua

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"weak"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/stdlib"
	"github.com/pdflow/pdflow/engine/lua/syntax"
	"github.com/pdflow/pdflow/engine/phrase"
	glua "github.com/yuin/gopher-lua"
)

// raised is an error that was raised as a table: the error of an action, or a table that
// the script made.
type raised struct {
	table weak.Pointer[glua.LTable] // the script need not hold it any more
	err   *action.Error             // nil for a table that the script made
	file  string
	line  int
}

const (
	// maxErrorText bounds the text of an error, in bytes.
	maxErrorText = 4 << 10
	// maxRaised bounds how many errors an evaluation remembers, because a loop of pcall
	// can raise any number of them.
	maxRaised = 64
)

// newErrorMeta returns the metatable of error tables, with which tostring(err) is the
// action and the message.
func newErrorMeta(L *glua.LState) *glua.LTable {
	meta := protected(L, nil)
	meta.RawSetString("__tostring", L.NewFunction(func(L *glua.LState) int {
		t := L.CheckTable(1)
		text := errorText(t.RawGetString("message"))
		if name, ok := t.RawGetString("action").(glua.LString); ok {
			text = string(name) + ": " + text
		}
		return stdlib.Push(L, glua.LString(text))
	}))
	return meta
}

// errorText returns the message of an error table. A script may have set it to anything;
// only text and numbers are shown.
func errorText(v glua.LValue) string {
	switch v := v.(type) {
	case glua.LString:
		return string(v)
	case glua.LNumber:
		return phrase.Number(float64(v))
	}
	return v.Type().String()
}

// raise raises the error of an action as a table.
func (e *evaluation) raise(L *glua.LState, err *action.Error) {
	t := e.errorTable(L, err)
	e.remember(L, t, err, 1)
	L.Error(t, 1)
}

// errorTable returns the table that scripts get for an error.
func (e *evaluation) errorTable(L *glua.LState, err *action.Error) *glua.LTable {
	e.budget.Reserve(limits.TableBytes + 7*limits.FieldBytes + int64(len(err.Message)+len(err.Hint)))
	t := L.CreateTable(0, 7)
	t.Metatable = e.interpreter.library.errorMeta
	for _, name := range phrase.Names(err.Details) {
		t.RawSetString(name, e.interpreter.library.toLua(L, err.Details[name]))
	}
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
	return t
}

// overflow raises the error of a script whose stack is full. The error has the kind limit,
// whichever way gopher-lua has noticed it.
func (e *evaluation) overflow(L *glua.LState) {
	err := &action.Error{
		Kind: action.Limit, Message: "stack overflow: functions call each other too deep, or pass too many values",
		Hint: "call functions at most 200 deep; look for a function that calls itself without end, or pass many values in a table",
	}
	t := e.errorTable(L, err)
	if place := cmp.Or(where(L, 0), where(L, 1)); place != "" {
		e.rememberAt(place, t, err)
	} else {
		e.remember(L, t, err, 1)
	}
	func() {
		defer func() { _ = recover() }()
		L.RaiseError("the stack is full") // closes the variables of the functions that end
	}()
	panic(&glua.ApiError{Type: glua.ApiErrorRun, Object: t, StackTrace: "none"})
}

// remember notes where a table was first raised, and for which error.
func (e *evaluation) remember(L *glua.LState, t *glua.LTable, err *action.Error, level int) {
	if slices.ContainsFunc(e.raised, func(r raised) bool { return r.table == weak.Make(t) }) {
		return // it is raised again
	}
	place := where(L, level)
	for i := len(e.callers) - 1; i >= 0 && place == ""; i-- {
		place = where(e.callers[i], 1) // pcall called the function that raised it directly
	}
	e.rememberAt(place, t, err)
}

func (e *evaluation) rememberAt(place string, t *glua.LTable, err *action.Error) {
	record := raised{table: weak.Make(t), err: err}
	record.file, record.line, _ = splitPosition(place)
	if len(e.raised) == maxRaised {
		e.raised = slices.Delete(e.raised, 0, 1)
	}
	e.raised = append(e.raised, record)
}

// raiseValue is error(value, level). gopher-lua's own takes level 2 for 1, and does not
// report where a table was raised.
func raiseValue(L *glua.LState) int {
	value, level := L.CheckAny(1), L.OptInt(2, 1)
	switch value := value.(type) {
	case glua.LString:
		if level > 0 {
			limits.Of(L).Allocate(L, int64(len(value)))
			value = glua.LString(strings.TrimPrefix(where(L, level)+" ", " ")) + value
		}
		L.Error(value, 0)
	case *glua.LTable:
		evaluationOf(L).remember(L, value, nil, max(level, 1))
	}
	L.Error(value, 0)
	return 0
}

// assert is assert(value, message). The message may be any value, so that
// assert(pcall(f)) passes an error on unchanged.
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

// failure turns the error that ended a chunk into an error with its place.
func (e *evaluation) failure(c *syntax.Chunk, err error) error {
	api, _ := err.(*glua.ApiError)
	if reason := e.budget.Stopped(); reason != nil {
		raised := e.stopped
		if api != nil && raised == nil {
			raised = api.Object
		}
		file, line := c.File, 0
		if raised != nil {
			file, line, _ = e.place(c, raised)
		}
		return scriptError(file, line, reason)
	}
	if api == nil {
		return scriptError(c.File, 0, action.AsError(err))
	}
	switch object := api.Object.(type) {
	case *glua.LTable:
		return e.tableFailure(c, object)
	case glua.LString:
		file, line, message := e.place(c, object)
		return scriptError(file, line, &action.Error{Kind: action.Script, Message: message})
	}
	message := "the script raised " + stdlib.Text(e.state, api.Object)
	return scriptError(c.File, 0, &action.Error{Kind: action.Script, Message: message})
}

// place splits the place off a message of Lua. Only the name of the chunk's file or of a
// module is a place: in "db:5432: refused" there is none.
func (e *evaluation) place(c *syntax.Chunk, message glua.LValue) (file string, line int, rest string) {
	text := clip(message.String(), maxErrorText)
	file, line, rest = splitPosition(text)
	known := file == c.File
	for _, module := range e.env.Modules {
		m, ok := module.(*syntax.Chunk)
		known = known || ok && m.File == file
	}
	if !known {
		return c.File, 0, text
	}
	return file, line, rest
}

// tableFailure returns the error of a script that raised a table: the error of an action
// that the script passed on and may have changed, or the script's own error{...}.
func (e *evaluation) tableFailure(c *syntax.Chunk, t *glua.LTable) error {
	err := action.Error{Kind: action.Script, Message: "the script raised a table without a message"}
	file, line := c.File, 0
	for _, r := range e.raised {
		if r.table != weak.Make(t) {
			continue
		}
		file, line = cmp.Or(r.file, c.File), r.line
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
	return scriptError(file, line, &err)
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

// clip shortens a text to a number of bytes.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
