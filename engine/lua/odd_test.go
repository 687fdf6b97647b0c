package lua_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestA20OddArguments: no function of the library fails in itself, whatever it is called
// with: it refuses its arguments, or does what Lua does.
func TestA20OddArguments(t *testing.T) {
	for module, functions := range map[string]string{
		"string": "byte char find format gmatch gsub len lower match rep reverse sub upper",
		"table":  "concat getn insert maxn remove sort",
		"math":   "abs atan2 ceil floor fmod frexp ldexp log max min mod modf pow random sqrt",
		"_G":     "assert coalesce error getmetatable ipairs list next pairs pcall rawequal rawget rawset select setmetatable tonumber tostring type unpack xpcall print require",
	} {
		for _, name := range strings.Fields(functions) {
			t.Run(module+"."+name, func(t *testing.T) {
				m := newMachine(t)
				m.env.Random = func() uint64 { return 4 }
				m.env.Limits = workflow.Limits{Instructions: 3_000_000, Memory: 256 << 20}
				got, err := m.eval(t, fmt.Sprintf(oddArguments, module+"."+name))
				var failure *attempt.ScriptError
				if err != nil && (!errors.As(err, &failure) || failure.Err.Kind != action.Limit) {
					t.Fatal(err)
				}
				if text, ok := got.(string); ok && text != "" {
					t.Errorf("got %q", text)
				}
			})
		}
	}
}

// oddArguments calls a function with every pair of odd values, and some triples. It returns
// an internal error, if there is one.
const oddArguments = `
	local made = setmetatable({}, {__index = function(t, k) return k end, __tostring = function() return {} end, __len = function() return "x" end, __lt = function() error({}) end})
	local values = {false, true, -1, 0, 1, 2.5, 0/0, 1/0, -1/0, 2^53, -2^53, 524287, "", "x", "%%", "%%d", "(", "[a", "%%b", "0x", "\255", {}, {1, 2, 3}, {[3] = 1}, {a = 1}, made, function() end, error, pcall}
	local f = %s
	local found = ""
	local function try(...)
		local ok, err = pcall(f, ...)
		local text = not ok and (type(err) == "table" and rawget(err, "message") or err) or ""
		if type(text) == "string" and text:find("internal error", 1, true) then found = text end
	end
	try()
	try(nil, nil, nil)
	for i = 1, #values do
		try(values[i])
		for j = 1, #values do
			try(values[i], values[j])
			for k = 1, #values, 4 do try(values[i], values[j], values[k]) end
		end
	end
	return found`
