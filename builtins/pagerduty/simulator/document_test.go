package simulator_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

const knownRoles = "Role must be one of: admin limited_user observer owner read_only_user restricted_access read_only_limited_user user"

// TestParseStateReports lists mistakes and what is said of each.
func TestParseStateReports(t *testing.T) {
	users := `"users": [{"id": "PANN001", "name": "Ann", "email": "ann@example.com"}]`
	tests := []struct {
		name, document string
		want           []string
	}{
		{"nothing", ``, []string{"not a JSON object: it is empty (near byte 0)"}},
		{"half", `{"users": [`, []string{"not a JSON object: it ends too early (near byte 11)"}},
		{"two", `{} {}`, []string{"not a JSON object: something follows the end of the document (near byte 4)"}},
		{"a list", `[]`, []string{"expected an object, got a list"}},
		{"null", `null`, []string{"not a JSON object: it is null (near byte 4)"}},
		{"deep", strings.Repeat("[", 99), []string{"not a JSON object: it is nested more than 32 deep (near byte 33)"}},
		{"misspelled", `{"user": [], "services": [{"nmae": "x"}]}`, []string{
			`user: unknown field (did you mean "users"?)`,
			`services[0].nmae: unknown field (did you mean "name"?)`,
		}},
		{"unlike anything", `{"services": [{"q": "x"}]}`, []string{
			`services[0].q: unknown field; expected one of id, name, escalation_policy, integrations`,
		}},
		{"twice", `{"users": [], "users": []}`, []string{"users: the field is there twice"}},
		{"other kinds", `{"account": [], "users": {}, "services": [7, null], "on_calls": [{"level": 1.5, "start": 7}], "tokens": [{"key": true}]}`, []string{
			"account: expected an object, got a list",
			"users: expected a list, got an object",
			"services[0]: expected an object, got a number that does not fit",
			"services[1]: expected a value, got null",
			"on_calls[0].level: expected a whole number, got a number that does not fit",
			"on_calls[0].start: expected a text, got a number that does not fit",
			"tokens[0].key: expected a text, got true or false",
		}},
		{"no time", `{"on_calls": [{"start": "noon"}]}`, []string{
			`on_calls[0].start: parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"`,
		}},
		{"account", `{"account": {"subdomain": "-x", "region": "e"}}`, []string{
			"account.subdomain: expected lower-case letters, digits and dashes",
			`account.region: "e" is not known (did you mean "eu"?)`,
		}},
		{"users", `{"users": [{"id": "p1", "name": "Ann", "email": "ann@example.com"}, {"email": "x", "role": "boss"}, {"name": "A", "email": "ANN@example.com"}]}`, []string{
			"users[0].id: expected an identifier of capital letters and digits, such as PANN001",
			"users[1]: Name can't be blank",
			"users[1]: Email is too short (minimum is 6 characters)",
			"users[1]: " + knownRoles,
			"users[2].email: users[0] already has the address",
		}},
		{"identifiers", `{"users": [{"id": "P1", "name": "Ann", "email": "ann@example.com"}], "services": [{"id": "P1", "name": "x"}]}`, []string{
			"services[0].id: users[0].id already has the identifier P1",
		}},
		{"tokens", `{` + users + `, "tokens": [{}, {"key": "a b"}, {"key": "k1"}, {"key": "k1"}, {"key": "k2", "kind": "user"}, {"key": "k3", "user": "PANN001"}, {"key": "k4", "kind": "usr", "user": "PANN001"}, {"key": "k5", "kind": "user", "user": "anne@example.com"}]}`, []string{
			"tokens[0].key: a key is required",
			"tokens[1].key: a key is of printable ASCII characters without spaces",
			"tokens[3].key: tokens[2].key already has the key",
			"tokens[4].user: a user token needs a user",
			"tokens[5].user: only a token of kind user belongs to one",
			`tokens[6].kind: "usr" is not known (did you mean "user"?)`,
			"tokens[6].user: only a token of kind user belongs to one",
			`tokens[7].user: there is no user "anne@example.com" (did you mean "ann@example.com"?)`,
		}},
		{"schedules", `{"schedules": [{"time_zone": "Mars/Base", "users": ["nobody"]}, {"name": "A", "time_zone": "Local"}, {"name": "A"}]}`, []string{
			"schedules[0].name: a name is required",
			`schedules[0].time_zone: "Mars/Base" is not a time zone; expected a name such as Europe/Berlin`,
			`schedules[0].users[0]: there is no user "nobody"; expected one of ops@example.com, admin@example.com, responder@example.com`,
			`schedules[1].time_zone: "Local" is not a time zone; expected a name such as Europe/Berlin`,
			`schedules[2].name: schedules[1] already has the name "A"`,
		}},
		{"policies", `{"escalation_policies": [{"name": "A"}, {"name": "B", "rules": [{"delay_minutes": -1}, {"schedules": ["Primary"]}]}]}`, []string{
			"escalation_policies[0].rules: at least one rule is required",
			"escalation_policies[1].rules[0].delay_minutes: expected at least 1",
			"escalation_policies[1].rules[0]: a rule needs users or schedules",
			`escalation_policies[1].rules[1].schedules[0]: there is no schedule "Primary"; there are none`,
		}},
		{"services", `{"services": [{"name": "A", "escalation_policy": "Defualt", "integrations": [{"key": "short"}, {"accepts": "v3"}]}]}`, []string{
			`services[0].escalation_policy: there is no escalation policy "Defualt" (did you mean "Default"?)`,
			"services[0].integrations[0].key: an integration key is of 32 letters and digits, this one of 5 characters",
			`services[0].integrations[1].accepts: "v3" is not known (did you mean "v1"?)`,
		}},
		{"on calls", `{"on_calls": [{"level": -1, "schedule": "S", "start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}]}`, []string{
			"on_calls[0].user: a reference to the user is required; expected one of ops@example.com, admin@example.com, responder@example.com",
			"on_calls[0].escalation_policy: a reference to the escalation policy is required; expected one of Default",
			`on_calls[0].schedule: there is no schedule "S"; there are none`,
			"on_calls[0].level: expected at least 1",
			"on_calls[0].end: expected a time after the start",
		}},
		{"incidents", `{"incidents": [{"service": "Other", "status": "open", "urgency": "hi"}, {"service": "Default Service", "title": "t", "key": "k", "assignees": ["x"]}, {"service": "Default Service", "title": "t", "key": "k"}, {"service": "Default Service", "title": "t", "key": "k", "status": "resolved"}]}`, []string{
			`incidents[0].service: there is no service "Other"; expected one of Default Service`,
			`incidents[0].status: "open" is not known; expected one of triggered, acknowledged, resolved`,
			`incidents[0].urgency: "hi" is not known; expected one of high, low`,
			"incidents[0].title: a title of 1 to 1024 characters is required",
			`incidents[1].assignees[0]: there is no user "x"; expected one of ops@example.com, admin@example.com, responder@example.com`,
			"incidents[2].key: incidents[1] of the same service is open under this key",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := simulator.ParseState([]byte(test.document))
			wantProblems(t, err, test.want)
		})
	}
}

func wantProblems(t *testing.T, err error, want []string) {
	t.Helper()
	var problems simulator.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want problems", err)
	}
	if diff := cmp.Diff(want, strings.Split(problems.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

// TestNoErrorQuotesAKey puts keys into every field that is not for them.
func TestNoErrorQuotesAKey(t *testing.T) {
	for _, key := range []string{accountKey + "x", checkoutKey, "u+TestKeyThatIsTwen1"} {
		for _, document := range []string{
			`{"tokens": [{"key": "KEY KEY"}, {"key": "KEY"}, {"key": "KEY"}, {"key": "k", "kind": "KEY"}, {"key": "l", "kind": "user", "user": "KEY"}]}`,
			`{"services": [{"name": "A", "integrations": [{"id": "KEY", "key": "KEY1", "accepts": "KEY"}, {"key": "KEY"}, {"key": "KEY"}]}]}`,
			`{"services": [{"name": "KEY"}, {"name": "KEY"}], "account": {"region": "KEY", "subdomain": "KEY"}}`,
			`{"services": [{"name": "A", "escalation_policy": "KEY"}], "schedules": [{"name": "A", "time_zone": "KEY"}]}`,
			`{"incidents": [{"service": "KEY", "status": "KEY"}]}`,
		} {
			_, err := simulator.ParseState([]byte(strings.ReplaceAll(document, "KEY", key)))
			if err == nil || strings.Contains(err.Error(), key) {
				t.Errorf("%s: got %v, want an error without the key", document, err)
			}
		}
		for _, document := range []string{
			`{"faults": [{"do": "KEY", "name": "KEY"}, {"do": "headers", "name": "KEY", "remove": ["KEY="]}]}`,
			`{"faults": [{"do": "status", "status": 500, "match": {"endpoint": "KEY"}}]}`,
			`{"faults": [{"do": "status", "status": 500, "match": {"method": "KEY"}}]}`,
			`{"faults": [{"do": "slow_body", "delay": "KEY"}]}`,
		} {
			_, err := simulator.ParseFaults([]byte(strings.ReplaceAll(document, "KEY", key)))
			if err == nil || strings.Contains(err.Error(), key) {
				t.Errorf("%s: got %v, want an error without the key", document, err)
			}
		}
	}
}

func TestStateSurvivesItsJSON(t *testing.T) {
	first, err := simulator.ParseState([]byte(company))
	if err != nil {
		t.Fatal(err)
	}
	second, err := simulator.ParseState([]byte(encode(t, first)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

// TestEmptyListsAreNotAbsent tells "there are none" from "nothing was said".
func TestEmptyListsAreNotAbsent(t *testing.T) {
	parse := func(document string) *simulator.Simulator {
		state, err := simulator.ParseState([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		return simulator.New(simulator.WithState(state))
	}
	if account := parse(`{}`); len(account.Users()) != 3 || len(account.Services()) != 1 || account.APIKey() == "" || account.ServiceKey() == "" {
		t.Errorf("got %v and %v, want what a new account has", account.Users(), account.Services())
	}
	account := parse(`{"users": [], "services": [], "tokens": [], "on_calls": []}`)
	if len(account.Users()) != 0 || len(account.Services()) != 0 || account.APIKey() != "" || account.ServiceKey() != "" {
		t.Errorf("got %v and %v, want none", account.Users(), account.Services())
	}
}

func TestGeneratedPartsOfAState(t *testing.T) {
	state, err := simulator.ParseState([]byte(`{"services": [{"name": "A"}, {"name": "B"}], "incidents": [{"service": "B", "title": "t"}],
		"escalation_policies": [{"name": "P", "rules": [{"users": ["OPS@example.com"]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	account := simulator.New(simulator.WithState(state))
	sendEvent(t, account, account.ServiceKey(), "trigger", "k", "d")
	incidents := account.Incidents()
	if len(incidents) != 2 || incidents[0].Service != "B" || len(incidents[0].Key) != 32 || incidents[1].Service != "A" {
		t.Errorf("got %v, want one at each service", incidents)
	}
	answer := send(account, "DELETE", "/users/"+account.Users()[0].ID, "", "Authorization", "Token token="+account.APIKey())
	if !strings.Contains(answer.Body.String(), "escalation policies: P (") {
		t.Errorf("got %s, want the policy to block", answer.Body)
	}
}

func TestParseFaultsReports(t *testing.T) {
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
			"faults[2].delay: expected a text, got a number that does not fit",
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
			_, err := simulator.ParseFaults([]byte(test.document))
			wantProblems(t, err, test.want)
		})
	}
}

func TestFaultsSurviveTheirJSON(t *testing.T) {
	want := simulator.FaultPlan{Faults: []simulator.Fault{
		{Name: "slow", Do: simulator.SlowBody, Delay: simulator.Duration(90 * time.Second), Match: simulator.Match{
			Endpoint: "/users/{id}", Method: "GET", Key: "k", Every: 2, Times: 3, Probability: 0.25,
		}},
		{Do: simulator.AnswerStatus, Status: 503, Body: "b", Headers: map[string]string{"a": "b"}, Remove: []string{"c"}, Match: simulator.Match{Nth: 4}},
	}}
	text := encode(t, want)
	got, err := simulator.ParseFaults([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(text, `"delay":"1m30s"`) || strings.Contains(text, `"match":{}`) {
		t.Errorf("got %s", text)
	}
	var lenient simulator.FaultPlan // encoding/json, and yaml.v3 with it, read the same
	if err := json.Unmarshal([]byte(text), &lenient); err != nil || !cmp.Equal(want, lenient) {
		t.Errorf("got %v, %v", lenient, err)
	}
}

func TestNewPanicsOnWhatADocumentCouldNotHold(t *testing.T) {
	for name, option := range map[string]simulator.Option{
		"WithState":  simulator.WithState(simulator.State{Services: []simulator.StateService{{}}}),
		"WithFaults": simulator.WithFaults(simulator.Fault{Do: "explode"}),
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "simulator.New: "+name+": ") {
					t.Errorf("%s: got %q, want a panic that names it", name, text)
				}
			}()
			simulator.New(option)
		}()
	}
}
