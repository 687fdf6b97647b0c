package account_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
)

const knownRoles = "Role must be one of: admin limited_user observer owner read_only_user restricted_access read_only_limited_user user"

// TestParseStateReports lists mistakes and the message for each.
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
			"services[0]: expected an object, got a number",
			"services[1]: expected a value, got null",
			"on_calls[0].level: expected a whole number, got a number that does not fit",
			"on_calls[0].start: expected a text, got a number",
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
			"tokens[5].user: only a token of kind user belongs to a user",
			`tokens[6].kind: "usr" is not known (did you mean "user"?)`,
			"tokens[6].user: only a token of kind user belongs to a user",
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
			_, err := account.ParseState([]byte(test.document))
			wantProblems(t, err, test.want)
		})
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
