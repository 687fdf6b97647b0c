package simulator_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

const page = "../../../docs/simulator.md"

// TestPageExamples reads the JSON documents of the page as a user would.
func TestPageExamples(t *testing.T) {
	text := readPage(t)
	states, plans := 0, 0
	for _, block := range regexp.MustCompile("(?ms)^```json\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		if strings.Contains(block[1], `"faults"`) {
			plans++
			if _, err := simulator.ParseFaults([]byte(block[1])); err != nil {
				t.Errorf("%s\n%v", block[1], err)
			}
			continue
		}
		states++
		state, err := simulator.ParseState([]byte(block[1]))
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

// TestPageKnowsEveryFault keeps the table of faults whole.
func TestPageKnowsEveryFault(t *testing.T) {
	text := readPage(t)
	_, err := simulator.ParseFaults([]byte(`{"faults":[{"do":"explode"}]}`))
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
