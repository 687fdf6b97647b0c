package journal_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// everyField is an event with a value in every field.
func everyField() run.Event {
	at := time.Date(2026, 3, 29, 1, 30, 0, 123456789, time.UTC)
	failure := &run.Failure{
		Kind: action.NotFound, Message: "no\xffuser", Step: "s", Item: 2, Call: 3, File: "w.yaml", Line: 4, Status: 404,
		Code: 2100, Action: "pagerduty.get_user_by_id", Hint: "<look & see>", Retryable: true, Details: action.Object{"failed": []any{1.5}}, Final: true,
	}
	outcome := &run.Outcome{
		Status: run.Failed, Outputs: []any{true}, Size: 6, Error: failure, Final: true, Used: &run.Usage{Instructions: 1, Bytes: 2, Microseconds: 3},
		Suspension: &run.Suspension{Reason: run.ChildRun, Call: 4, Run: "R0"}, Refused: failure,
	}
	return run.Event{
		Sequence: 7, Time: at, Kind: run.EventCallReturned, Run: "R1", Step: "s", Item: 2, Attempt: 3,
		Actor: &run.Actor{Kind: run.ActorUser, Name: "ann@\xffhost"},
		Started: &run.Start{
			Workflow: "w", Source: "00ff", Inputs: action.Object{"token": action.Secret{Name: "inputs.token"}, "n": 1.5},
			Trigger: run.Trigger{Kind: "schedule", ScheduledAt: &at, Schedule: "nightly"},
			Target: run.Target{
				Simulation: "S", Connection: "default", Region: "us", APIURL: "https://api.example.com",
				EventsURL: "https://events.example.com", Keys: map[string]string{"api_key": "0123"},
				Others: []run.Target{{Connection: "eu", Region: "eu", Keys: map[string]string{"api_key": "4567"}}, {}},
			},
			Previous: &run.Previous{Outputs: action.Object{"a": []any{}}, Status: run.Success, EndedAt: at},
		},
		Items:    []any{1.0, nil, "x", action.Object{}, []any{}},
		Outcome:  outcome,
		Decision: &run.Decision{Reason: run.CallUnknown, Call: 5, Outcome: run.CallRepeat, Approved: true, Result: outcome},
		Call: &run.Call{
			Number: 1, Action: "a.b", Effect: "keyed", Input: action.Object{"service_key": action.Secret{Name: "K"}}, Digest: "d", Key: "k",
			Before: json.RawMessage(`{"big":12345678901234567890}`), Again: true, Output: action.Object{"text": "\x00\x1a\u2028"}, Error: failure,
			Stopped: true, Decision: run.CallDone,
		},
		Log:    &action.LogRecord{Level: "info", Message: "m", Fields: action.Object{"f": false}},
		Status: run.Success, Outputs: action.Object{"o": nil}, Error: failure, Reason: "why",
	}
}

// TestEventCodec: Decode returns the event that Encode was given.
func TestEventCodec(t *testing.T) {
	outputs := func(v any) run.Event {
		return run.Event{Kind: run.EventAttemptFinished, Outcome: &run.Outcome{Status: run.Success, Outputs: v}}
	}
	tests := map[string]run.Event{
		"every field":         everyField(),
		"nothing":             {},
		"an empty object":     {Kind: run.EventFinished, Outputs: action.Object{}},
		"no object":           {Kind: run.EventFinished},
		"an empty list":       {Kind: run.EventStepExpanded, Items: []any{}},
		"empty structures":    {Started: &run.Start{}, Outcome: &run.Outcome{}, Call: &run.Call{}, Log: &action.LogRecord{}, Error: &run.Failure{}},
		"no keys":             {Started: &run.Start{Target: run.Target{Keys: map[string]string{}}}},
		"a key like a secret": {Started: &run.Start{Target: run.Target{Keys: map[string]string{"$secret": "\xff"}}}},
		"no other targets":    {Started: &run.Start{Target: run.Target{Others: []run.Target{}}}},
		"other targets": {Started: &run.Start{Target: run.Target{
			Connection: "us", Others: []run.Target{{Connection: "de", Keys: map[string]string{"api": "\xff"}}, {}, {Others: []run.Target{{Region: "eu"}}}},
		}}},
		"an empty text":             outputs(""),
		"false":                     outputs(false),
		"a list in a list":          outputs([]any{[]any{}, []any{nil}}),
		"numbers":                   outputs([]any{0.1, math.Copysign(0, -1), 1e300, 5e-324, math.MaxFloat64, float64(1 << 53)}),
		"a secret":                  outputs(action.Secret{Name: "A"}),
		"what looks like a secret":  outputs(action.Object{"$secret": "A"}),
		"what looks like an escape": outputs(action.Object{"$$secret": action.Object{"$$$secret": action.Secret{Name: "$secret"}}}),
		"two fields":                outputs(action.Object{"$secret": "A", "$$secret": "B"}),
		"no text in it":             outputs(action.Object{"$secret": 1.0}),
		"bytes":                     outputs(action.Object{"\xff\xfe": "\x80é\x1a41\xed\xa0\x80", "\x1a": "\x1a"}),
		"markup":                    outputs("<a href=\"x\">&\u2028\u2029</a>"),
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := journal.Encode(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := journal.Decode(text)
			if err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the event differs (-want +got):\n%s\nits text: %s", diff, text)
			}
		})
	}
}

// TestStoredText: existing journals hold this text, and new events are written the same
// way: names in order, absent fields left out, "<" as it is.
func TestStoredText(t *testing.T) {
	e := run.Event{
		Kind: run.EventStarted, Actor: &run.Actor{Kind: run.ActorHook, Name: "h"},
		Started: &run.Start{
			Workflow: "w", Source: "00", Inputs: action.Object{"z": []any{}, "a": action.Secret{Name: "K"}, "b": action.Object{"$secret": "<\xff\x1a"}},
			Trigger: run.Trigger{Kind: "manual"}, Target: run.Target{Simulation: "S", Others: []run.Target{{Region: "eu", Keys: map[string]string{"api": "1"}}}},
		},
	}
	want := `{"actor":{"kind":"hook","name":"h"},"event":"run.started","started":{"inputs":{"a":{"$secret":"K"},"b":{"$$secret":"<\u001aff\u001a1a"},"z":[]},` +
		`"source":"00","target":{"others":[{"keys":{"api":"1"},"region":"eu"}],"simulator":"S"},"trigger":{"kind":"manual"},"workflow":"w"}}`
	got, err := journal.Encode(e)
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// TestTransientIsNotStored: a resumed run reads every result from the journal, so the
// flag of results that need not stay in memory is not stored.
func TestTransientIsNotStored(t *testing.T) {
	text, err := journal.Encode(run.Event{Kind: run.EventCallStarted, Call: &run.Call{Number: 1, Action: "a.b", Transient: true}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := journal.Decode(text)
	if err != nil || got.Call.Transient || got.Call.Number != 1 {
		t.Errorf("got %+v, %v from %s", got.Call, err, text)
	}
	if _, err := journal.Decode([]byte(`{"kind": "call.started", "call": {"-": true}}`)); err == nil {
		t.Error(`a field "-" is accepted`)
	}
}

// TestEveryField: everyField gives every stored field a value, so that no test forgets
// a new one.
func TestEveryField(t *testing.T) {
	mustBeFilled(t, "", reflect.ValueOf(everyField()))
}

// mustBeFilled checks the fields of structs, and of the structs that they hold.
func mustBeFilled(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
		if v.Kind() == reflect.Slice && strings.Contains(path, "Others") {
			return // the other targets have no others
		} else if v.Kind() == reflect.Slice {
			v = v.Index(0)
		} else {
			v = v.Elem()
		}
	}
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Tag.Get("json") == "-" {
			continue
		}
		place := path + "." + field.Name
		if v.Field(i).IsZero() {
			t.Errorf("%s has no value in everyField", place)
			continue
		}
		mustBeFilled(t, place, v.Field(i))
	}
}

// TestEncodeRefuses: a value that Decode could not return as it was is an error, which
// names its path.
func TestEncodeRefuses(t *testing.T) {
	cycle := []any{nil}
	cycle[0] = cycle
	tests := map[string]struct {
		value any
		want  string
	}{
		"NaN":         {action.Object{"rows": []any{1.0, action.Object{"n": math.NaN()}}}, "outcome.outputs.rows[1].n: NaN is not a JSON number"},
		"infinity":    {math.Inf(1), "outcome.outputs: +Inf is not a JSON number"},
		"an integer":  {[]any{1}, "outcome.outputs[0]: type int is not a value"},
		"a function":  {func() {}, "outcome.outputs: type func() is not a value"},
		"a structure": {time.Time{}, "outcome.outputs: type time.Time is not a value"},
		"a cycle":     {cycle, "nests deeper than 1000 levels"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := run.Event{Sequence: 4, Kind: run.EventAttemptFinished, Outcome: &run.Outcome{Outputs: test.value}}
			text, err := journal.Encode(e)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "event 4 (attempt.finished) cannot be recorded") {
				t.Errorf("got %s and the error %.200v, want one with %q", text, err, test.want)
			}
		})
	}
	for _, e := range []run.Event{{Call: &run.Call{Before: json.RawMessage("{")}}, {Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if text, err := journal.Encode(e); err == nil {
			t.Errorf("got %s, want an error", text)
		}
	}
}

// TestDecodeRefuses: a text of which any part is not understood is an error.
func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                     "unexpected end",
		`[]`:                                   "cannot unmarshal array",
		`{"step":1}`:                           "step: ",
		`{"newer":true}`:                       `unknown field "newer"`,
		`{"call":{"newer":true}}`:              `call: unknown field "newer"`,
		`{"items":{}}`:                         "items: {} is not valid here",
		`{"outputs":[]}`:                       "outputs: [] is not valid here",
		`{"outputs":{"$secret":"A"}}`:          "is not valid here",
		`{"items":[{"$secret":1}]}`:            "the name of a secret is not a text",
		`{"items":["\u001a4"]}`:                "ends inside an escaped byte",
		`{"items":["\u001azz"]}`:               "not followed by a byte",
		`{"outputs":{"a":1,"\u001a61":2}}`:     `the field "a" appears twice`,
		`{"time":"yesterday"}`:                 "time: ",
		`{"started":{"target":{"keys":[1]}}}`:  "started.target.keys: [1] is not valid here",
		`{"started":{"target":{"keys":null}}}`: "started.target.keys: null is not valid here",
		`{"started":{"target":{"keys":{"a":"1","\u001a61":"2"}}}}`: `keys: the field "a" appears twice`,
		`{"started":{"target":{"others":null}}}`:                   "started.target.others: null is not valid here",
		`{"started":{"target":{"others":[{},{"newer":1}]}}}`:       `started.target.others[1]: unknown field "newer"`,
	} {
		if e, err := journal.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v and the error %v, want one with %q", text, e, err, want)
		}
	}
}

// FuzzEventCodec: no text makes Decode panic. An event that Decode returns does not
// change when it is encoded and decoded again.
func FuzzEventCodec(f *testing.F) {
	text, err := journal.Encode(everyField())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"outputs":{"$$secret":"A"},"items":[{"$secret":"B"},"\u001aff",-0,1e400]}`))
	f.Add([]byte(`{"actor":{"kind":"user"},"decision":{"reason":"run","result":{"suspension":{"reason":"approval"}}},"started":{"target":{"others":[{"keys":{}}]}}}`))
	f.Add([]byte(`{"call":{"before": null,"input":{}},"started":null,"time":"0000-01-01T00:00:00+23:59"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		once, err := journal.Decode(text)
		if err != nil {
			return
		}
		encoded, err := journal.Encode(once)
		if err != nil {
			t.Fatalf("%v of %s", err, text)
		}
		twice, err := journal.Decode(encoded)
		if err != nil {
			t.Fatalf("%v of %s", err, encoded)
		}
		compact := cmp.Transformer("compact", func(raw json.RawMessage) any {
			var v any
			_ = json.Unmarshal(raw, &v)
			return v
		})
		if diff := cmp.Diff(once, twice, compact); diff != "" {
			t.Errorf("the event changed (-once +twice):\n%s", diff)
		}
	})
}

// FuzzValueCodec: every text and every name of a field comes back as it was.
func FuzzValueCodec(f *testing.F) {
	f.Add("$secret", "A", 1.0)
	f.Add("$$secret", "\xff\x1a", math.Copysign(0, -1))
	f.Add("\x1a\xc3", "\u2028<&>", 1e-300)
	f.Fuzz(func(t *testing.T, name, text string, number float64) {
		want := run.Event{
			Kind: run.EventAttemptFinished, Step: text, Reason: name,
			Outcome: &run.Outcome{Outputs: []any{action.Object{name: text}, action.Object{name: number, text: nil}, action.Secret{Name: text}}},
		}
		encoded, err := journal.Encode(want)
		if err != nil {
			if math.IsNaN(number) || math.IsInf(number, 0) {
				return
			}
			t.Fatal(err)
		}
		got, err := journal.Decode(encoded)
		if err != nil {
			t.Fatalf("%v of %s", err, encoded)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the event differs (-want +got):\n%s", diff)
		}
	})
}
