package simulator_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
)

// TestNoErrorQuotesAKey puts keys into every field that is not for keys.
func TestNoErrorQuotesAKey(t *testing.T) {
	for _, key := range []string{accountKey + "x", checkoutKey, "u+TestKeyThatIsTwen1"} {
		for _, document := range []string{
			`{"tokens": [{"key": "KEY KEY"}, {"key": "KEY"}, {"key": "KEY"}, {"key": "k", "kind": "KEY"}, {"key": "l", "kind": "user", "user": "KEY"}]}`,
			`{"services": [{"name": "A", "integrations": [{"id": "KEY", "key": "KEY1", "accepts": "KEY"}, {"key": "KEY"}, {"key": "KEY"}]}]}`,
			`{"services": [{"name": "KEY"}, {"name": "KEY"}], "account": {"region": "KEY", "subdomain": "KEY"}}`,
			`{"services": [{"name": "A", "escalation_policy": "KEY"}], "schedules": [{"name": "A", "time_zone": "KEY"}]}`,
			`{"incidents": [{"service": "KEY", "status": "KEY"}]}`,
		} {
			_, err := account.ParseState([]byte(strings.ReplaceAll(document, "KEY", key)))
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
			_, err := fault.Parse([]byte(strings.ReplaceAll(document, "KEY", key)))
			if err == nil || strings.Contains(err.Error(), key) {
				t.Errorf("%s: got %v, want an error without the key", document, err)
			}
		}
	}
}

func TestStateSurvivesItsJSON(t *testing.T) {
	first, err := account.ParseState([]byte(company))
	if err != nil {
		t.Fatal(err)
	}
	second, err := account.ParseState([]byte(encode(t, first)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

// TestEmptyListsAreNotAbsent: an empty list of a state means none, an absent list means the
// default.
func TestEmptyListsAreNotAbsent(t *testing.T) {
	parse := func(document string) *simulator.Simulator {
		state, err := account.ParseState([]byte(document))
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
	state, err := account.ParseState([]byte(`{"services": [{"name": "A"}, {"name": "B"}], "incidents": [{"service": "B", "title": "t"}],
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

func TestNewPanicsOnInvalidStateAndFaults(t *testing.T) {
	for name, option := range map[string]simulator.Option{
		"WithState":  simulator.WithState(account.State{Services: []account.StateService{{}}}),
		"WithFaults": simulator.WithFaults(fault.Fault{Do: "explode"}),
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
