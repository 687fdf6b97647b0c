package lua_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// TestSecretsAreOpaque: a script can only read the name of a secret.
func TestSecretsAreOpaque(t *testing.T) {
	m := newMachine(t, echo())
	m.data["secrets"] = action.Object{"TOKEN": action.Secret{Name: "TOKEN"}}
	for _, use := range []string{
		"'x' .. s", "s .. 'x'", "s.text", "s[1]", "s()", "#s", "s + 1", "1 - s", "s * 2", "s / 2", "s < s", "s <= s", "s:upper()",
	} {
		m.mustFail(t, "local s = secrets.TOKEN return "+use, action.Script, "")
	}
	m.mustFail(t, "local s = secrets.TOKEN s.x = 1", action.Script, "‹secret TOKEN› is opaque: it can be given to an action, and nothing else")
	m.mustFail(t, "local s = secrets.TOKEN return 'x' .. s", action.Script, "‹secret TOKEN› is opaque")
	tests := map[string]any{
		"return tostring(secrets.TOKEN)":                             "‹secret TOKEN›",
		"return string.format('%s %10.3s', secrets.TOKEN, 'abcdef')": "‹secret TOKEN›        abc",
		"return type(secrets.TOKEN)":                                 "userdata",
		"return secrets.TOKEN == 'x'":                                false,
		"return tonumber(secrets.TOKEN)":                             nil,
		"local t = {} t[secrets.TOKEN] = 1 return next(t) ~= nil":    true,
		"return rawequal(secrets.TOKEN, secrets.TOKEN)":              true,
	}
	for script, want := range tests {
		if diff := cmp.Diff(want, m.value(t, script)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", script, diff)
		}
	}
	// A secret passes through as a secret; the engine refuses it in outputs.
	want := any(action.Object{"a": []any{action.Secret{Name: "TOKEN"}}})
	if diff := cmp.Diff(want, m.value(t, "return {a = {secrets.TOKEN}}")); diff != "" {
		t.Errorf("a secret inside (-want +got):\n%s", diff)
	}
	if got := m.failure(t, "error(secrets.TOKEN)"); !strings.Contains(got.Err.Message, "‹secret TOKEN›") {
		t.Errorf("got %q, want the name", got.Err.Message)
	}
}

// TestSecretsInExpressions: an expression can pass a secret input on, but cannot read it.
func TestSecretsInExpressions(t *testing.T) {
	m := newMachine(t)
	m.data["inputs"] = action.Object{"key": action.Secret{Name: "inputs.key"}}
	got, err := m.open().Eval(m.compile(t, workflow.Expression, "inputs.key"))
	if err != nil || got != any(action.Secret{Name: "inputs.key"}) {
		t.Errorf("got %v, %v, want the reference", got, err)
	}
	if got, err := m.open().Eval(m.compile(t, workflow.Expression, `"Bearer " .. inputs.key`)); err == nil {
		t.Errorf("got %v, want an error", got)
	}
}
