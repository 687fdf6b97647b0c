package fault_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
)

// TestParseReports lists mistakes and the message for each.
func TestParseReports(t *testing.T) {
	const kinds = "status, rate_limit, rate_limit_bare, html, plain_text, error_array, errors_string, account_lock, headers, " +
		"slow_header, slow_body, truncated_body, reset_before, reset_after, timeout_before, timeout_after, duplicate, stale_read, clock_jump"
	tests := []struct {
		name, document string
		want           []string
	}{
		{"misspelled kind", `{"faults": [{"do": "reset_befor"}]}`, []string{`faults[0].do: there is no fault "reset_befor" (did you mean "reset_before"?)`}},
		{"unlike any kind", `{"faults": [{"do": "explode"}, {}]}`, []string{
			`faults[0].do: there is no fault "explode"; expected one of ` + kinds,
			`faults[1].do: there is no fault ""; expected one of ` + kinds,
		}},
		{"unknown fields", `{"fault": [], "faults": [{"do": "duplicate", "match": {"metod": "GET"}}]}`, []string{
			`fault: unknown field (did you mean "faults"?)`,
			`faults[0].match.metod: unknown field (did you mean "method"?)`,
		}},
		{"parameters", `{"faults": [{"do": "duplicate", "status": 500, "body": "x", "headers": {"a": "b"}, "remove": ["a"], "delay": "1s"}]}`, []string{
			`faults[0].status: a fault "duplicate" does not use it`,
			`faults[0].body: a fault "duplicate" does not use it`,
			`faults[0].headers: a fault "duplicate" does not use it`,
			`faults[0].remove: a fault "duplicate" does not use it`,
			`faults[0].delay: a fault "duplicate" does not use it`,
		}},
		{"required", `{"faults": [{"do": "status"}, {"do": "slow_body"}, {"do": "stale_read", "delay": "0s"}, {"do": "headers"}]}`, []string{
			`faults[0].status: a fault "status" needs it`,
			`faults[1].delay: a fault "slow_body" needs it`,
			`faults[2].delay: a fault "stale_read" needs it`,
			`faults[3]: a fault "headers" needs headers or remove`,
		}},
		{"status", `{"faults": [{"do": "status", "status": 199}, {"do": "html", "status": 600}]}`, []string{
			"faults[0].status: expected 200 to 599, got 199",
			"faults[1].status: expected 200 to 599, got 600",
		}},
		{"headers", `{"faults": [{"do": "headers", "headers": {"a b": "c", "d": "e\r\nf", "content-length": "1"}, "remove": ["é"]}]}`, []string{
			"faults[0].headers.a b: is not the name of a header",
			"faults[0].headers.content-length: is not the name of a header",
			"faults[0].headers.d: a header has one line",
			`faults[0].remove[0]: "é" is not the name of a header`,
		}},
		{"durations", `{"faults": [{"do": "slow_body", "delay": "1 s"}, {"do": "slow_body", "delay": "-1s"}, {"do": "slow_body", "delay": 5}]}`, []string{
			`faults[0].delay: "1 s" is not a duration; expected one such as 250ms, 2s or 1m30s`,
			`faults[1].delay: "-1s" is not a duration; expected one such as 250ms, 2s or 1m30s`,
			"faults[2].delay: expected a text, got a number",
		}},
		{"endpoint", `{"faults": [{"do": "duplicate", "match": {"endpoint": "/user"}}, {"do": "duplicate", "match": {"endpoint": "event"}}]}`, []string{
			`faults[0].match.endpoint: there is no endpoint "/user" (did you mean "/users"?)`,
			`faults[1].match.endpoint: there is no endpoint "event" (did you mean "events"?)`,
		}},
		{"method", `{"faults": [{"do": "duplicate", "match": {"endpoint": "/users/{id}", "method": "POST"}}, {"do": "duplicate", "match": {"endpoint": "events", "method": "GET"}}]}`, []string{
			`faults[0].match.method: no endpoint of the rule has the method "POST"; expected one of GET, PUT, DELETE`,
			`faults[1].match.method: no endpoint of the rule has the method "GET"; expected one of POST`,
		}},
		{"numbers", `{"faults": [{"do": "duplicate", "match": {"nth": -1, "every": -1, "times": -1, "probability": 1.5}}, {"do": "duplicate", "match": {"nth": 1, "every": 2}}]}`, []string{
			"faults[0].match.nth: expected at least 1, got -1",
			"faults[0].match.every: expected at least 1, got -1",
			"faults[0].match.times: expected at least 1, got -1",
			"faults[0].match.nth: selects one request; remove every and times",
			"faults[0].match.probability: expected 0 to 1, got 1.5",
			"faults[1].match.nth: selects one request; remove every and times",
		}},
		{"names", `{"faults": [{"do": "duplicate", "name": "a"}, {"do": "duplicate"}, {"do": "duplicate"}, {"do": "duplicate", "name": "a"}]}`, []string{
			`faults[3].name: faults[0] already has the name "a"`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := fault.Parse([]byte(test.document))
			wantProblems(t, err, test.want)
		})
	}
}

func TestPlanSurvivesItsJSON(t *testing.T) {
	want := fault.Plan{Faults: []fault.Fault{
		{Name: "slow", Do: fault.SlowBody, Delay: fault.Duration(90 * time.Second), Match: fault.Match{
			Endpoint: "/users/{id}", Method: "GET", Key: "k", Every: 2, Times: 3, Probability: 0.25,
		}},
		{Do: fault.AnswerStatus, Status: 503, Body: "b", Headers: map[string]string{"a": "b"}, Remove: []string{"c"}, Match: fault.Match{Nth: 4}},
	}}
	encoded, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	text := string(encoded)
	got, err := fault.Parse(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(text, `"delay":"1m30s"`) || strings.Contains(text, `"match":{}`) {
		t.Errorf("got %s", text)
	}
	var lenient fault.Plan // encoding/json, and yaml.v3 with it, read the same
	if err := json.Unmarshal(encoded, &lenient); err != nil || !cmp.Equal(want, lenient) {
		t.Errorf("got %v, %v", lenient, err)
	}
}

func wantProblems(t *testing.T, err error, want []string) {
	t.Helper()
	var problems strictjson.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want problems", err)
	}
	if diff := cmp.Diff(want, strings.Split(problems.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}
