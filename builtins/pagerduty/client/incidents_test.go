package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const oneIncident = `{"id":"Q1","incident_number":7,"title":"disk full","status":"triggered","urgency":"high","incident_key":"db1",` +
	`"created_at":"2026-01-31T09:00:00Z","html_url":"https://acme.pagerduty.com/incidents/Q1",` +
	`"service":{"id":"PS1","summary":"Database","html_url":null},"escalation_policy":{"id":"PE1","summary":"Default"},` +
	`"assignments":[{"at":"2026-01-31T09:00:00Z","assignee":{"id":"P1","summary":"Ann"}}]}`

func wantIncident() Incident {
	return Incident{
		ID: "Q1", Number: 7, Title: "disk full", Status: "triggered", Urgency: "high", Key: "db1", CreatedAt: "2026-01-31T09:00:00Z",
		HTMLURL: "https://acme.pagerduty.com/incidents/Q1", Service: Reference{ID: "PS1", Name: "Database"},
		EscalationPolicy: Reference{ID: "PE1", Name: "Default"}, Assignments: []Assignment{{Reference{ID: "P1", Name: "Ann"}}},
	}
}

func TestIncidentByID(t *testing.T) {
	c, s, _ := serve(t, V1, ok(`{"incident":`+oneIncident+`}`), noSuch)
	got, err := c.IncidentByID(context.Background(), "Q1")
	if diff := cmp.Diff(wantIncident(), got); err != nil || diff != "" || s.arrived[0].Path != "/incidents/Q1" {
		t.Errorf("%s: got %v (-want +got):\n%s", s.arrived[0].Path, err, diff)
	}
	var f *Error
	if _, err := c.IncidentByID(context.Background(), "Q2"); !errors.As(err, &f) || f.Kind != NotFound {
		t.Errorf("got %v, want not_found", err)
	}
}

// TestIncidents proves that every page is read, that an incident that moves to the next
// page between two requests is returned once, and that old incidents are included.
func TestIncidents(t *testing.T) {
	second := strings.Replace(oneIncident, "Q1", "Q2", 2)
	c, s, _ := serve(t, V1,
		ok(`{"incidents":[`+oneIncident+`],"limit":100,"more":true}`),
		ok(`{"incidents":[`+oneIncident+`,`+second+`],"limit":100,"more":false}`))
	got, more, err := c.Incidents(context.Background(), IncidentFilter{
		Key: "db1", Statuses: []string{"triggered", "acknowledged"}, ServiceIDs: []string{"PS1"}, Limit: 1000,
	})
	if err != nil || more || len(got) != 2 || got[0].ID != "Q1" || got[1].ID != "Q2" {
		t.Errorf("got %v, %v, %v, want Q1 and Q2 and no more", got, more, err)
	}
	const query = "service_ids%5B%5D=PS1&statuses%5B%5D=triggered&statuses%5B%5D=acknowledged"
	want := []string{
		"/incidents?date_range=all&incident_key=db1&limit=100&offset=0&" + query,
		"/incidents?date_range=all&incident_key=db1&limit=100&offset=100&" + query,
	}
	if diff := cmp.Diff(want, []string{s.arrived[0].Path, s.arrived[1].Path}); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestListsEnd proves that a list ends at its limit, at the last page, and at the end of
// PagerDuty's pagination, and that it reports whether there are more entries.
func TestListsEnd(t *testing.T) {
	page := func(from, n int, more bool) answer {
		var users []string
		for i := range n {
			users = append(users, fmt.Sprintf(`{"id":"P%d"}`, from+i))
		}
		return ok(fmt.Sprintf(`{"users":[%s],"limit":100,"more":%v}`, strings.Join(users, ","), more))
	}
	for _, test := range []struct {
		name    string
		limit   int
		answers []answer
		users   int
		more    bool
		pages   int
	}{
		{"a page is enough", 100, []answer{page(0, 100, false)}, 100, false, 1},
		{"at the limit, with another page", 100, []answer{page(0, 100, true)}, 100, true, 1},
		{"at the limit, within a page", 30, []answer{page(0, 100, false)}, 30, true, 1},
		{"over two pages", 150, []answer{page(0, 100, true), page(100, 100, false)}, 150, true, 2},
		{"no users", 100, []answer{page(0, 0, false)}, 0, false, 1},
		{"the server always reports more", MaxListed, []answer{page(0, 1, true)}, 1, true, 100},
	} {
		c, s, _ := serve(t, V1, test.answers...)
		users, more, err := c.Users(context.Background(), UserFilter{Limit: test.limit})
		if err != nil || len(users) != test.users || more != test.more || s.tries() != test.pages {
			t.Errorf("%s: got %d users, more %v, %v after %d pages, want %d, %v after %d",
				test.name, len(users), more, err, s.tries(), test.users, test.more, test.pages)
		}
	}
	for _, limit := range []int{-1, 0, MaxListed + 1} {
		c, s, _ := serve(t, V1, page(0, 1, false))
		if _, _, err := c.Users(context.Background(), UserFilter{Limit: limit}); err == nil || s.tries() != 0 {
			t.Errorf("the limit %d: got %v after %d requests, want an error after none", limit, err, s.tries())
		}
	}
}

func TestAddNote(t *testing.T) {
	c, s, _ := serve(t, V1, answer{status: 201, body: `{"note":{"id":"PN1","content":"cleaned","created_at":"2026-01-31T09:00:00Z"}}`})
	got, err := c.AddNote(context.Background(), NewNote{IncidentID: "Q1", Content: "cleaned"})
	if want := (Note{"PN1", "cleaned", "2026-01-31T09:00:00Z"}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	sent := s.arrived[0]
	if sent.Method != "POST" || sent.Path != "/incidents/Q1/notes" || sent.Body != `{"note":{"content":"cleaned"}}` || sent.Header.Get("From") != "ops@example.com" {
		t.Errorf("got %+v", sent)
	}
}

// incidentService answers PUT /incidents like an account with some incidents.
type incidentService struct {
	status  map[string]string // of each incident
	whole   bool              // one bad incident makes it refuse the whole batch
	batches []int
}

func (s *incidentService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ Incidents []updatedIncident }
	text, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(text, &body)
	s.batches = append(s.batches, len(body.Incidents))
	var entries []string
	bad := 0
	for _, i := range slices.Backward(body.Incidents) { // an answer may have another order
		switch s.status[i.ID] {
		case "":
			bad++
			entries = append(entries, `{"id":"`+i.ID+`","error":{"message":"Not Found","code":2100}}`)
		case "resolved":
			bad++
			entries = append(entries, `{"id":"`+i.ID+`","error":{"message":"Incident Already Resolved","code":1001}}`)
		default:
			entries = append(entries, `{"id":"`+i.ID+`","status":"`+i.Status+`"}`)
		}
	}
	if s.whole && bad > 0 {
		w.WriteHeader(http.StatusBadRequest)
		message := "Invalid Input Provided"
		if len(body.Incidents) == 1 && s.status[body.Incidents[0].ID] == "resolved" {
			message = "Incident Already Resolved"
		}
		_, _ = io.WriteString(w, `{"error":{"message":"`+message+`","code":2001}}`)
		return
	}
	_, _ = io.WriteString(w, `{"incidents":[`+strings.Join(entries, ",")+`]}`)
}

func updating(t *testing.T, s http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := New(Config{APIKey: testAPIKey, APIURL: server.URL, FromEmail: "ops@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestUpdateIncidents proves that each incident has its own result, in the order of the
// ids, whether PagerDuty refuses single incidents or whole batches. It proves that no
// batch is too large, and bounds the requests that find the bad incidents.
func TestUpdateIncidents(t *testing.T) {
	var ids []string
	for i := range 600 {
		ids = append(ids, fmt.Sprintf("Q%d", i))
	}
	for _, test := range []struct {
		name   string
		whole  bool
		bad    map[string]string // instead of triggered
		status string
		ok     int
		most   int // requests
	}{
		{"all fine", true, nil, "resolved", 600, 3},
		{"single incidents refused", false, map[string]string{"Q3": "", "Q555": "resolved"}, "resolved", 599, 3},
		{"whole batches refused", true, map[string]string{"Q3": "", "Q555": "resolved"}, "resolved", 599, 3 + 2*22},
		{"acknowledging a resolved incident", true, map[string]string{"Q555": "resolved"}, "acknowledged", 599, 3 + 22},
	} {
		s := &incidentService{status: map[string]string{}, whole: test.whole}
		for _, id := range ids {
			s.status[id] = "triggered"
		}
		for id, status := range test.bad {
			s.status[id] = status
		}
		results, err := updating(t, s).UpdateIncidents(context.Background(), IncidentsUpdate{IDs: append(ids, "Q5"), Status: test.status})
		if err != nil || len(results) != len(ids) {
			t.Fatalf("%s: got %d results, %v, want %d", test.name, len(results), err, len(ids))
		}
		fine := 0
		for i, result := range results {
			status, isBad := test.bad[ids[i]]
			wantOK := !isBad || status == test.status
			if result.ID != ids[i] || result.OK != wantOK || !result.OK && result.Message == "" {
				t.Errorf("%s: got %+v for %s, want ok %v", test.name, result, ids[i], wantOK)
			}
			if result.OK {
				fine++
			}
		}
		if fine != test.ok || len(s.batches) > test.most || slices.Max(s.batches) > maxBatch {
			t.Errorf("%s: got %d fine with the batches %v, want %d with at most %d", test.name, fine, s.batches, test.ok, test.most)
		}
	}
}

// TestUpdateIncidentsStatuses proves for every status code whether it is the result of
// one incident or fails the whole update.
func TestUpdateIncidentsStatuses(t *testing.T) {
	for status := 300; status < 600; status++ {
		c, s, _ := serve(t, V1, answer{status: status, body: `{"error":{"message":"No","code":1}}`})
		results, err := c.UpdateIncidents(context.Background(), IncidentsUpdate{IDs: []string{"Q1"}, Status: "resolved"})
		var f *Error
		switch status {
		case 400, 404, 409, 413:
			if err != nil || len(results) != 1 || results[0].OK || !strings.Contains(results[0].Message, "No") || s.tries() != 1 {
				t.Errorf("%d: got %+v, %v after %d tries, want a result after one", status, results, err, s.tries())
			}
		default:
			e := endpoint{retried: map[int]bool{408: true, 429: true}, server: true, writes: true}
			if !errors.As(err, &f) || len(results) != 0 || f.Kind != wantKind(e, status) || s.tries() != wantTries(e, status) {
				t.Errorf("%d: got %+v, %v after %d tries, want %s after %d", status, results, err, s.tries(), wantKind(e, status), wantTries(e, status))
			}
		}
	}
	from := answer{status: 400, body: `{"error":{"message":"Requester User Not Found","code":1008}}`}
	c, s, _ := serve(t, V1, from)
	if _, err := c.UpdateIncidents(context.Background(), IncidentsUpdate{IDs: []string{"Q1", "Q2"}, Status: "resolved"}); err == nil || s.tries() != 1 {
		t.Errorf("a wrong From: got %v after %d tries, want an error after one", err, s.tries())
	}
}

// TestUpdateIncidentsStopped proves that a failure returns the results of the batches
// before it.
func TestUpdateIncidentsStopped(t *testing.T) {
	var ids, entries []string
	for i := range maxBatch + 1 {
		ids = append(ids, fmt.Sprintf("Q%d", i))
		entries = append(entries, fmt.Sprintf(`{"id":"Q%d","status":"resolved"}`, i))
	}
	c, _, _ := serve(t, V1, ok(`{"incidents":[`+strings.Join(entries[:maxBatch], ",")+`]}`), answer{status: 401})
	results, err := c.UpdateIncidents(context.Background(), IncidentsUpdate{IDs: ids, Status: "resolved"})
	var f *Error
	if !errors.As(err, &f) || f.Kind != Unauthorized || len(results) != maxBatch {
		t.Errorf("got %d results and %v, want %d and unauthorized", len(results), err, maxBatch)
	}
}

// TestOddUpdateAnswers proves that an incident counts as updated only if the answer says
// so.
func TestOddUpdateAnswers(t *testing.T) {
	for body, want := range map[string]IncidentResult{
		`{"incidents":[]}`: {ID: "Q1", Message: "PagerDuty's answer does not mention it"},
		`{"incidents":[{"id":"Q1","status":"triggered"}]}`:                                   {ID: "Q1", Status: "triggered", Message: "PagerDuty did not refuse it, but its status is a different one"},
		`{"incidents":[{"id":"Q1","status":"resolved","error":null}]}`:                       {ID: "Q1", OK: true, Status: "resolved"},
		`{"incidents":[{"id":"Q1","error":"` + testAPIKey + ` no"}]}`:                        {ID: "Q1", Message: "PagerDuty refused it: " + redacted + " no"},
		`{"incidents":[{"id":"Q1","error":{"message":"Incident Already Resolved","x":[]}}]}`: {ID: "Q1", OK: true, Status: "resolved", Message: "it was resolved already"},
	} {
		c, _, _ := serve(t, V1, ok(body))
		got, err := c.UpdateIncidents(context.Background(), IncidentsUpdate{IDs: []string{"Q1"}, Status: "resolved"})
		if diff := cmp.Diff([]IncidentResult{want}, got); err != nil || diff != "" {
			t.Errorf("%s: got %v (-want +got):\n%s", body, err, diff)
		}
	}
}
