package journal_test

import (
	"encoding/json"
	"math"
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
		Code: 2100, Action: "pagerduty.get_user_by_id", Hint: "<look & see>", Retryable: true,
	}
	return run.Event{
		Sequence: 7, Time: at, Kind: run.EventCallReturned, Run: "R1", Step: "s", Item: 2, Attempt: 3,
		Started: &run.Start{
			Workflow: "w", Source: "00ff", Inputs: action.Object{"token": action.Secret{Name: "inputs.token"}, "n": 1.5},
			Trigger: run.Trigger{Kind: "schedule", ScheduledAt: &at},
			Target: run.Target{
				Simulator: "S", Connection: "default", Region: "us", APIURL: "https://api.example.com",
				EventsURL: "https://events.example.com", Keys: map[string]string{"api_key": "0123"},
			},
			Previous: &run.Previous{Outputs: action.Object{"a": []any{}}, Status: run.Success, EndedAt: at},
		},
		Items:   []any{1.0, nil, "x", action.Object{}, []any{}},
		Outcome: &run.Outcome{Status: run.Failed, Outputs: []any{true}, Size: 6, Error: failure, Final: true},
		Call: &run.Call{
			Number: 1, Action: "a.b", Effect: "keyed", Input: action.Object{"service_key": action.Secret{Name: "K"}}, Digest: "d", Key: "k",
			Before: json.RawMessage(`{"big":12345678901234567890}`), Again: true, Output: action.Object{"text": "\x00\x1a\u2028"}, Error: failure, Decision: run.CallDone,
		},
		Log:    &action.LogRecord{Level: "info", Message: "m", Fields: action.Object{"f": false}},
		Status: run.Success, Outputs: action.Object{"o": nil}, Error: failure, Reason: "why",
	}
}

// TestEventCodec: an event comes back as it was.
func TestEventCodec(t *testing.T) {
	outputs := func(v any) run.Event {
		return run.Event{Kind: run.EventAttemptFinished, Outcome: &run.Outcome{Status: run.Success, Outputs: v}}
	}
	tests := map[string]run.Event{
		"every field":               everyField(),
		"nothing":                   {},
		"an empty object":           {Kind: run.EventFinished, Outputs: action.Object{}},
		"no object":                 {Kind: run.EventFinished},
		"an empty list":             {Kind: run.EventStepExpanded, Items: []any{}},
		"empty structures":          {Started: &run.Start{}, Outcome: &run.Outcome{}, Call: &run.Call{}, Log: &action.LogRecord{}, Error: &run.Failure{}},
		"no keys":                   {Started: &run.Start{Target: run.Target{Keys: map[string]string{}}}},
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

// TestFleetingIsNotRecorded: whoever goes on with a run asks for every result.
func TestFleetingIsNotRecorded(t *testing.T) {
	text, err := journal.Encode(run.Event{Kind: run.EventCallStarted, Call: &run.Call{Number: 1, Action: "a.b", Transient: true}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := journal.Decode(text)
	if err != nil || got.Call.Transient || got.Call.Number != 1 {
		t.Errorf("got %+v, %v from %s", got.Call, err, text)
	}
	if _, err := journal.Decode([]byte(`{"kind": "call.started", "call": {"-": true}}`)); err == nil {
		t.Error(`a field "-" is taken`)
	}
}

// TestEventCodecCoversEveryField: everyField leaves out no field, so that a new
// one cannot be forgotten in the test.
func TestEventCodecCoversEveryField(t *testing.T) {
	text, err := journal.Encode(everyField())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]map[string]any
	_ = json.Unmarshal(text, &got) // the fields that are no objects stay out
	want := map[string]int{"started": 6, "outcome": 5, "call": 11, "log": 3, "error": 12}
	for name, fields := range want {
		if len(got[name]) != fields {
			t.Errorf("got %d fields of %s, want %d: give the new one a value in everyField, and count it here", len(got[name]), name, fields)
		}
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil || len(all) != 16 {
		t.Errorf("got %d fields, %v, want 16: give the new one a value in everyField, and count it here", len(all), err)
	}
}

// TestEventCodecRefuses: what cannot be kept as it is is not kept, and the error
// names the place.
func TestEventCodecRefuses(t *testing.T) {
	cycle := []any{nil}
	cycle[0] = cycle
	tests := map[string]struct {
		value any
		want  string
	}{
		"NaN":         {action.Object{"rows": []any{1.0, action.Object{"n": math.NaN()}}}, "outcome.outputs.rows[1].n: NaN is no number"},
		"infinity":    {math.Inf(1), "outcome.outputs: +Inf is no number"},
		"an integer":  {[]any{1}, "outcome.outputs[0]: a int is no value"},
		"a function":  {func() {}, "outcome.outputs: a func() is no value"},
		"a structure": {time.Time{}, "outcome.outputs: a time.Time is no value"},
		"a cycle":     {cycle, "nests deeper than 1000 levels"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := run.Event{Sequence: 4, Kind: run.EventAttemptFinished, Outcome: &run.Outcome{Outputs: test.value}}
			text, err := journal.Encode(e)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "the event 4 (attempt.finished) cannot be recorded") {
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

// TestEventDecoderRefuses: a text that is not understood in full is an error.
func TestEventDecoderRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                    "unexpected end",
		`[]`:                                  "cannot unmarshal array",
		`{"step":1}`:                          "step: ",
		`{"newer":true}`:                      `the field "newer" is not known`,
		`{"call":{"newer":true}}`:             `call: the field "newer" is not known`,
		`{"items":{}}`:                        "items: {} cannot stand here",
		`{"outputs":[]}`:                      "outputs: [] cannot stand here",
		`{"outputs":{"$secret":"A"}}`:         "cannot stand here",
		`{"items":[{"$secret":1}]}`:           "the name of a secret is no text",
		`{"items":["\u001a4"]}`:               "ends inside",
		`{"items":["\u001azz"]}`:              "no byte after",
		`{"outputs":{"a":1,"\u001a61":2}}`:    `the field "a" is there twice`,
		`{"time":"yesterday"}`:                "time: ",
		`{"started":{"target":{"keys":[1]}}}`: "started.target.keys: [1] cannot stand here",
	} {
		if e, err := journal.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v and the error %v, want one with %q", text, e, err, want)
		}
	}
}

// FuzzEventCodec: no text makes the decoder panic, and what it understands is
// encoded and decoded without a change.
func FuzzEventCodec(f *testing.F) {
	text, err := journal.Encode(everyField())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"outputs":{"$$secret":"A"},"items":[{"$secret":"B"},"\u001aff",-0,1e400]}`))
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

// FuzzValueCodec: texts and names survive whatever they hold.
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
