package main

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/source"
)

// TestAnyPageIsSent (P1 to P5, P9): scripts send 10,000 events of any shape and size: text of 1 MB, bytes that are
// not text, functions, cycles, NaN, secrets, a thousand levels. The account enforces PagerDuty's limits and
// accepts every one, with both versions of the Events API. No two keys become one.
func TestAnyPageIsSent(t *testing.T) {
	scripts, events := 100, 100
	if testing.Short() {
		scripts = 4
	}
	for i := range scripts {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			sendAnyPages(t, i, events)
		})
	}
}

func sendAnyPages(t *testing.T, number, events int) {
	clock := &waitlessClock{}
	account, err := setup.StartSimulator("127.0.0.1:0", simulator.WithServiceKey("Database", scriptKeys["SERVICE_KEY"]), simulator.WithClock(clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer account.Stop()
	version := []pagerduty.EventsVersion{pagerduty.V1, pagerduty.V2}[number%2]
	client, err := pagerduty.New(pagerduty.Config{
		ServiceKey: scriptKeys["SERVICE_KEY"], APIURL: account.URL, EventsURL: account.URL, EventsAPI: version, Sleep: clock.Sleep, Now: clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	target, err := setup.WithClient(builtins.Config{PagerDuty: client}, setup.Settings{ServiceKey: scriptKeys["SERVICE_KEY"]})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := target.CompileFile(source.File{Path: filepath.Join(root, "testdata/pages/any.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	request, err := target.Request(plan, action.Object{"events": float64(events)})
	if err != nil {
		t.Fatal(err)
	}
	local := &engine.Local{
		Interpreter: target.Interpreter, Clock: clock, Redactor: &redact.Redactor{}, Secrets: func(string) (string, error) { return "a secret token", nil },
		NewID: func(time.Time) string { return fmt.Sprintf("01M83YKF0AJ50H4W02XDPY%04d", number) },
	}
	result, err := local.Run(t.Context(), plan, request)
	if err != nil || result.Status != run.Success {
		t.Fatalf("%v, %v", err, result.Error)
	}
	accepted := 0
	for _, r := range account.Requests() {
		if r.Status == 200 || r.Status == 202 {
			accepted++
		}
	}
	if accepted != events || len(account.Requests()) != events {
		t.Errorf("%d of %d requests were accepted, want %d", accepted, len(account.Requests()), events)
	}
	given := map[string]string{}
	for _, pair := range result.Steps[0].Outputs.(action.Object)["keys"].([]any) {
		o := pair.(action.Object)
		sent, key := o["sent"].(string), o["given"].(string)
		if other, ok := given[sent]; ok && other != key {
			t.Errorf("the keys %s and %s became %q", other, key, sent)
		}
		given[sent] = key
	}
}
