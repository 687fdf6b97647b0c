package lua

import (
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua/limits"
	"github.com/pdflow/pdflow/engine/lua/stdlib"
	glua "github.com/yuin/gopher-lua"
)

// makeIterable lets a script loop over the items that an action listed, with the result
// of the action itself:
//
//	for person in directory.list_people{query = "ann"} do ... end
//
// The result stays an ordinary table, with a metatable that makes calls of it iterate.
// When the list was cut at a default limit, the loop raises an error instead of
// silently missing the rest. A script that set the limit itself gets what it asked for.
func makeIterable(L *glua.LState, a *action.Action, result glua.LValue, input, output action.Object) {
	table, ok := result.(*glua.LTable)
	if !ok {
		return // the budget had no room for it
	}
	_, chosen := input[a.Lists.Limit]
	more, _ := output[a.Lists.More].(bool)
	it := &iterator{action: a, cut: more && !chosen}
	it.items, _ = table.RawGetString(a.Lists.Items).(*glua.LTable)
	meta := protected(L, nil)
	items := glua.LValue(glua.LNil)
	if it.items != nil {
		items = it.items
	}
	meta.RawSetString("__call", L.NewClosure(it.next, items)) // so that the items are measured with it
	limits.KeepClosure(L)
	table.Metatable = meta
}

// An iterator goes over a list of objects. Several loops may use it at the same time, so
// it finds its place by the previous item.
type iterator struct {
	action *action.Action
	items  *glua.LTable // nil if there are none
	cut    bool         // at the default limit
	at     int          // the place where the previous item probably is
}

// next returns the next item. A loop calls it with the result of the action, nil, and
// the previous item.
func (it *iterator) next(L *glua.LState) int {
	previous := L.Get(3)
	if previous == glua.LNil {
		it.begin(L)
	} else {
		it.find(L, previous)
	}
	it.at++
	if it.items == nil {
		return 0
	}
	return stdlib.Push(L, it.items.RawGetInt(it.at))
}

func (it *iterator) begin(L *glua.LState) {
	if it.at = 0; it.cut {
		evaluationOf(L).raise(L, &action.Error{
			Kind: action.Limit, Action: it.action.Name,
			Message: "there is more than it lists by default: a loop over it would miss the rest",
			Hint:    "set `" + it.action.Lists.Limit + "`, or narrow what is listed",
		})
	}
}

// find sets the place to the previous item's.
func (it *iterator) find(L *glua.LState, previous glua.LValue) {
	if it.items == nil || it.items.RawGetInt(it.at) == previous {
		return
	}
	for it.at = 1; it.items.RawGetInt(it.at) != previous; it.at++ {
		limits.Of(L).Charge(L, 1)
		if it.at >= it.items.Len() {
			L.RaiseError("%s: the list was changed in the loop over it", it.action.Name)
		}
	}
}
