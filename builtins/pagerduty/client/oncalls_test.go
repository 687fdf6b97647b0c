package client

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnCalls(t *testing.T) {
	const second = `{"user":{"id":"P2","summary":"Bob","name":"Bob"},"escalation_level":2,"escalation_policy":{"id":"PE1","summary":"Default"},"schedule":null,"start":null,"end":null}`
	const first = `{"user":{"id":"P1","email":"ann@example.com"},"escalation_level":1,"escalation_policy":{"id":"PE1","summary":"Default"},` +
		`"schedule":{"id":"PC1","summary":"Week"},"start":"2026-01-31T09:00:00Z","end":"2026-02-07T09:00:00Z"}`
	c, s, _ := serve(t, V1, ok(`{"oncalls":[`+second+`,`+first+`],"more":false}`))
	got, _, err := c.OnCalls(context.Background(), OnCallFilter{EscalationPolicyIDs: []string{"PE1"}, ScheduleIDs: []string{"PC1"}, Limit: 10})
	want := []OnCall{
		{User{ID: "P1", Email: "ann@example.com"}, 1, Reference{ID: "PE1", Name: "Default"}, Reference{ID: "PC1", Name: "Week"}, "2026-01-31T09:00:00Z", "2026-02-07T09:00:00Z"},
		{User{ID: "P2", Name: "Bob", Summary: "Bob"}, 2, Reference{ID: "PE1", Name: "Default"}, Reference{}, "", ""},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("got %v (-want +got):\n%s", err, diff)
	}
	if got, want := s.arrived[0].Path, "/oncalls?escalation_policy_ids%5B%5D=PE1&include%5B%5D=users&limit=100&offset=0&schedule_ids%5B%5D=PC1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
