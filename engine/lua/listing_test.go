package lua_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

type peopleIn struct {
	Have  int `json:"have" doc:"How many there are."`
	Limit int `json:"limit" default:"3" doc:"At most so many."`
}

type person struct {
	Name string `json:"name" doc:"Name."`
}

func (person) TypeName() string { return "person" }

type peopleOut struct {
	People []person `json:"people" doc:"Them."`
	More   bool     `json:"more" doc:"Whether there are others."`
}

// people lists a, b, c and so on.
func people() *action.Action {
	spec := action.Spec{Name: "demo.people", Effect: action.Reads, Lists: action.Listing{Items: "people", Limit: "limit", More: "more"}}
	return action.New(spec, func(_ context.Context, in peopleIn) (out peopleOut, _ error) {
		for i := range min(in.Have, in.Limit) {
			out.People = append(out.People, person{Name: string(rune('a' + i))})
		}
		out.More = in.Have > in.Limit
		return out, nil
	})
}

// TestLoopOverListing: a loop can go over the result of an action that lists, and the
// result is still an ordinary table.
func TestLoopOverListing(t *testing.T) {
	m := newMachine(t, people())
	const join = "local s = '' local function add(x) s = s .. x end "
	for name, test := range map[string]struct {
		source string
		want   any
	}{
		"all":             {join + "for p in demo.people{have = 3} do add(p.name) end return s", "abc"},
		"none":            {join + "for p in demo.people{} do add(p.name) end return s", ""},
		"of a limit":      {join + "for p in demo.people{have = 9, limit = 2} do add(p.name) end return s", "ab"},
		"left":            {join + "local all = demo.people{have = 3} for p in all do add(p.name) break end for p in all do add(p.name) end return s", "aabc"},
		"one in another":  {join + "local all = demo.people{have = 2} for p in all do for q in all do add(p.name .. q.name) end end return s", "aaabbabb"},
		"one beside it":   {join + "for p in demo.people{have = 2} do for q in demo.people{have = 1} do add(p.name .. q.name) end end return s", "aaba"},
		"its fields":      {"local all = demo.people{have = 4} return {#all.people, all.more, all.people[1].name}", []any{3.0, true, "a"}},
		"given back":      {"return demo.people{have = 1}", action.Object{"people": []any{action.Object{"name": "a"}}, "more": false}},
		"its pairs":       {join + "for k in pairs(demo.people{}) do add(k .. ' ') end return s", "more people "},
		"grown meanwhile": {join + "local all = demo.people{have = 1} for p in all do add(p.name) if #all.people < 3 then all.people[#all.people + 1] = {name = 'x'} end end return s", "axx"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, m.value(t, test.source)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	m.mustFail(t, "for p in demo.people{have = 4} do end", action.Limit, "a loop over it would miss the rest")
	m.mustFail(t, "local all = demo.people{have = 3} for p in all do table.remove(all.people, 1) end", action.Script, "the list was changed in the loop over it")
	m.mustFail(t, "for p in demo.people{have = 3}.people do end", action.Script, "attempt to call")
	m.mustFail(t, "setmetatable(demo.people{}, {})", action.Script, "protected metatable")
}
