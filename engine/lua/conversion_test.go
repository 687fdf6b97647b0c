package lua_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// An impatientClock is a millisecond later whenever somebody looks.
type impatientClock struct{ *virtualClock }

func (c impatientClock) Now() time.Time {
	c.now = c.now.Add(time.Millisecond)
	return c.virtualClock.Now()
}

// TestSlowTables: a table from which most was deleted is slow to walk; a value with many
// of them ends with the time of the script, and not after it.
func TestSlowTables(t *testing.T) {
	m := newMachine(t)
	m.env.Clock, m.env.Limits = impatientClock{newClock()}, workflow.Limits{Time: 30 * time.Millisecond}
	const script = "local h = {} h[4000] = 1 h[4000] = nil\nlocal many = {}\nfor i = 1, 3000 do many[i] = h end\n"
	m.mustFail(t, script+"return many", action.Limit, "computing for 30ms, its limit")
}

// TestUnknownInputs: what is given under a name that an action does not have is not
// converted, and all inputs of a call share one bound.
func TestUnknownInputs(t *testing.T) {
	type threeIn struct {
		A any `json:"a" doc:"Anything."`
		B any `json:"b" doc:"Anything."`
	}
	take := action.New(action.Spec{Name: "demo.take", Summary: "Take.", Effect: action.Pure}, func(context.Context, threeIn) (nothing, error) { return nothing{}, nil })
	m := newMachine(t, take)
	m.mustFail(t, "demo.take{c = print}", action.InvalidInput, `unknown input "c"`)
	m.mustFail(t, "local big = {}\nfor i = 1, 150000 do big[i] = i end\ndemo.take{a = big, b = big}", action.Limit, "has more than 200000 values")
}

// TestBadIndexOfALongPlace: the message of a bad index shows no address, however long the
// file's path is.
func TestBadIndexOfALongPlace(t *testing.T) {
	m := newMachine(t)
	c := m.chunk(workflow.Script, "local a = 1 local ok, text = pcall(function() return a[{}] end) return text")
	c.File = strings.Repeat("long/", 60) + "w.yaml"
	program, findings := m.interpreter.Check(c)
	if program == nil {
		t.Fatal(findings)
	}
	v, err := m.open().Eval(program)
	if text, _ := v.(string); err != nil || strings.Contains(text, "0x") || !strings.Contains(text, "attempt to index") {
		t.Errorf("got %v, %v", v, err)
	}
}
