package simulator_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
)

const page = "../../../docs/simulator.md"

// TestPageExamples reads the JSON documents of the page as a user would.
func TestPageExamples(t *testing.T) {
	text := readPage(t)
	states, plans := 0, 0
	for _, block := range regexp.MustCompile("(?ms)^```json\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		if strings.Contains(block[1], `"faults"`) {
			plans++
			if _, err := fault.Parse([]byte(block[1])); err != nil {
				t.Errorf("%s\n%v", block[1], err)
			}
			continue
		}
		states++
		state, err := account.ParseState([]byte(block[1]))
		if err != nil {
			t.Errorf("%s\n%v", block[1], err)
			continue
		}
		if account := simulator.New(simulator.WithState(state)); len(account.Users()) != 2 || len(account.Incidents()) != 1 {
			t.Errorf("got %v and %v", account.Users(), account.Incidents())
		}
	}
	if states == 0 || plans == 0 {
		t.Errorf("got %d states and %d fault plans on the page, want both", states, plans)
	}
}

// TestPageListsEveryRoute fails when a route of the API is not in the table of endpoints.
func TestPageListsEveryRoute(t *testing.T) {
	text := readPage(t)
	for _, route := range api.Routes() {
		if line := "`" + route.Method + " " + route.Path + "`"; !strings.Contains(text, line) {
			t.Errorf("%s is not in the table of endpoints", line)
		}
	}
}

// TestPageListsEveryFault fails when a kind of fault is not in the table of faults.
func TestPageListsEveryFault(t *testing.T) {
	text := readPage(t)
	_, err := fault.Parse([]byte(`{"faults":[{"do":"explode"}]}`))
	_, list, found := strings.Cut(err.Error(), "expected one of ")
	if !found {
		t.Fatalf("got %v, want all kinds", err)
	}
	for kind := range strings.SplitSeq(list, ", ") {
		if !regexp.MustCompile("(?m)^\\| .*`" + kind + "`.*\\|").MatchString(text) {
			t.Errorf("%s has no line in the table of faults", kind)
		}
	}
}

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
