package lua

import (
	"github.com/pdflow/pdflow/engine/action"
	glua "github.com/yuin/gopher-lua"
)

// iterable lets a script go over the items of what an action listed:
//
//	for user in pagerduty.list_users{query = "@example.com"} do ... end
//
// The answer stays the table that it is; a call of it is a step of the loop. That the
// list was cut at a limit which the script did not set itself is an error of the
// loop, not a silent end of it.
func (lib *library) iterable(L *glua.LState, a *action.Action, answer glua.LValue, input, output action.Object) {
	table, ok := answer.(*glua.LTable)
	if !ok {
		return // there was no room for it
	}
	_, chosen := input[a.Lists.Limit]
	more, _ := output[a.Lists.More].(bool)
	w := &walk{action: a, cut: more && !chosen}
	w.items, _ = table.RawGetString(a.Lists.Items).(*glua.LTable)
	meta := protected(L, nil)
	meta.RawSetString("__call", L.NewFunction(w.next))
	table.Metatable = meta
}

// A walk goes over a list of objects. It finds its place by the item before, as
// several loops may go over one answer.
type walk struct {
	action *action.Action
	items  *glua.LTable // nil if there are none
	cut    bool         // at the limit by default
	at     int          // where the item before probably is
}

// next is called by a loop with the answer, nothing, and the item before.
func (w *walk) next(L *glua.LState) int {
	before := L.Get(3)
	if before == glua.LNil {
		w.begin(L)
	} else {
		w.find(L, before)
	}
	w.at++
	if w.items == nil {
		return 0
	}
	L.Push(w.items.RawGetInt(w.at))
	return 1
}

func (w *walk) begin(L *glua.LState) {
	if w.at = 0; w.cut {
		evaluationOf(L).raise(L, &action.Error{
			Kind: action.Limit, Action: w.action.Name,
			Message: "there is more than it lists by default: a loop over it would miss the rest",
			Hint:    "set `" + w.action.Lists.Limit + "`, or narrow what is listed",
		})
	}
}

func (w *walk) find(L *glua.LState, before glua.LValue) {
	if w.items == nil || w.items.RawGetInt(w.at) == before {
		return
	}
	for w.at = 1; w.items.RawGetInt(w.at) != before; w.at++ {
		budgetOf(L).charge(L, 1)
		if w.at >= w.items.Len() {
			L.RaiseError("%s: the list was changed in the loop over it", w.action.Name)
		}
	}
}
