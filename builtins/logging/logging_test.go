package logging

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// object is short for the tables below.
type object = action.Object

func TestLog(t *testing.T) {
	var lines []action.LogRecord
	scope := action.Scope{Log: func(r action.LogRecord) { lines = append(lines, r) }}
	token := action.Secret{Name: "TOKEN"}
	for _, input := range []object{
		{"message": "hello", "fields": object{"n": 1.0, "token": []any{token}}},
		{"message": 3.0},
		{"message": false},
		{"message": object{"a": []any{"<", token}}},
		{"message": token},
		{"message": math.NaN()},
	} {
		if _, err := actiontest.Call(Actions(), scope, "log.warn", input); err != nil {
			t.Errorf("log.warn(%v): %v", input, err)
		}
	}
	want := []action.LogRecord{
		{Level: "warn", Message: "hello", Fields: object{"n": 1.0, "token": []any{"‹secret TOKEN›"}}},
		{Level: "warn", Message: "3"},
		{Level: "warn", Message: "false"},
		{Level: "warn", Message: `{"a":["<","‹secret TOKEN›"]}`},
		{Level: "warn", Message: "‹secret TOKEN›"},
		{Level: "warn", Message: "NaN"},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if _, err := actiontest.Call(Actions(), action.Scope{}, "log.debug", object{"message": "nobody listens"}); err != nil {
		t.Error(err)
	}
	if _, err := actiontest.Call(Actions(), scope, "log.info", object{}); err == nil {
		t.Error("a log line without a message was taken")
	}
}
