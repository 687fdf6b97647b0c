package builtins

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// object is short for the tables below.
type object = action.Object

func TestActionsAreListedByModule(t *testing.T) {
	want := []string{
		"pagerduty.send_trigger_event", "pagerduty.send_acknowledge_event", "pagerduty.send_resolve_event",
		"pagerduty.create_user", "pagerduty.get_user_by_email", "pagerduty.get_user_by_id", "pagerduty.delete_user_by_id",
		"pagerduty.get_incident", "pagerduty.list_incidents", "pagerduty.add_incident_note", "pagerduty.update_incidents",
		"pagerduty.get_on_call", "pagerduty.list_users", "pagerduty.update_user",
		"pagerduty.send_change_event",
		"http.request", "http.get", "http.post", "http.put", "http.delete",
		"net.check_port", "net.lookup", "net.tls_expiry",
		"validate.email", "validate.ip", "validate.cidr", "validate.hostname", "validate.url",
		"json.encode", "json.decode",
		"base64.encode", "base64.decode",
		"hash.sha256", "hash.hmac",
		"uuid.new",
		"time.now", "time.parse", "time.format", "time.add", "time.sleep",
		"text.split", "text.lines", "text.trim", "text.starts_with", "text.ends_with", "text.contains", "text.truncate",
		"text.match", "text.find_all", "text.replace",
		"log.debug", "log.info", "log.warn", "log.error",
	}
	var got []string
	for _, a := range Actions(Config{}) {
		got = append(got, a.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

func TestEveryActionIsDocumented(t *testing.T) {
	for _, a := range Actions(Config{}) {
		if !strings.HasSuffix(a.Summary, ".") {
			t.Errorf("%s: the summary %q is no sentence", a.Name, a.Summary)
		}
		checkDocs(t, a.Name, a.In)
		checkDocs(t, a.Name, a.Out)
		if len(a.Args) > 0 && !a.Spread {
			t.Errorf("%s takes inputs by position and hands its outputs out as a table", a.Name)
		}
		if a.Effect.Writes() && a.Example == nil {
			t.Errorf("%s writes and has no example to show instead", a.Name)
		}
	}
}

func checkDocs(t *testing.T, name string, s *action.Schema) {
	t.Helper()
	for _, f := range s.Fields {
		if f.Doc == "" {
			t.Errorf("%s: %s has no doc", name, f.Name)
		}
		if f.Type.Fields != nil {
			checkDocs(t, name+": "+f.Name, f.Type.Fields)
		}
	}
}

// TestExamplesHaveTheRightShape holds the examples to the outputs they stand for.
func TestExamplesHaveTheRightShape(t *testing.T) {
	for _, a := range Actions(Config{}) {
		if problems := a.Out.Check(a.Example); len(problems) > 0 {
			t.Errorf("%s: %v", a.Name, problems)
		}
	}
}

// TestRepeats is what a repeat of each kind of call does: what a retry gets again,
// and what may be sent late.
func TestRepeats(t *testing.T) {
	key := object{"incident_key": "k", "service_key": "0123456789abcdef0123456789abcdef"}
	post := object{"url": "https://example.com", "body": "x"}
	with := func(o object, more object) object {
		both := object{}
		for _, from := range []object{o, more} {
			for name, v := range from {
				both[name] = v
			}
		}
		return both
	}
	trigger := object{"description": "d", "service_key": "0123456789abcdef0123456789abcdef"}
	tests := []struct {
		action           string
		input            object
		recall, harmless bool
		effect           action.Effect
		output           object
	}{
		{"time.now", object{}, true, true, action.Reads, object{}},
		{"time.now", object{"fresh": true}, false, true, action.Reads, object{}},
		{"time.sleep", object{"duration": "1s"}, false, true, action.Reads, object{}},
		{"pagerduty.get_user_by_id", object{"id": "P1"}, false, true, action.Reads, object{}},
		{"pagerduty.send_trigger_event", trigger, true, false, action.Keyed, object{"incident_key": "derived", "status": "success"}},
		{"pagerduty.send_trigger_event", with(trigger, object{"incident_key": "k"}), true, true, action.Keyed, object{"incident_key": "k", "status": "success"}},
		{"pagerduty.send_acknowledge_event", key, true, false, action.Repeats, object{"incident_key": "k", "status": "success"}},
		{"pagerduty.send_resolve_event", key, true, false, action.Repeats, object{"incident_key": "k", "status": "success"}},
		{"pagerduty.delete_user_by_id", object{"id": "P1"}, true, true, action.Reconciled, object{}},
		{"http.post", post, true, true, action.Once, object{}},
		{"http.post", with(post, object{"idempotent": true}), true, true, action.Repeats, object{}},
		{"http.get", object{"url": "https://example.com"}, false, true, action.Reads, object{}},
	}
	for i, test := range tests {
		t.Run(fmt.Sprintf("%d %s", i, test.action), func(t *testing.T) {
			invocation, err := actiontest.Prepare(Actions(Config{}), test.action, test.input)
			if err != nil {
				t.Fatal(err)
			}
			invocation.UseKey("derived")
			if got := invocation.Effect(); got != test.effect {
				t.Errorf("got the effect %s, want %s", got, test.effect)
			}
			if got := invocation.Recall(); got != test.recall {
				t.Errorf("got %v, want a retry to get it again: %v", got, test.recall)
			}
			if got := invocation.HarmlessLate(); got != test.harmless {
				t.Errorf("got %v, want it harmless when it is late: %v", got, test.harmless)
			}
			if diff := cmp.Diff(action.Object(test.output), invocation.KnownOutput()); diff != "" {
				t.Errorf("what is known of the output (-want +got):\n%s", diff)
			}
		})
	}
}
