package simulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
)

// faulty returns an account and its server. Both end with the test, the account first.
func faulty(t *testing.T, options ...simulator.Option) (*simulator.Simulator, *httptest.Server) {
	t.Helper()
	account := newAccount(options...)
	server := httptest.NewServer(account)
	t.Cleanup(func() {
		account.Close()
		server.Close()
	})
	return account, server
}

// exchanged is the part of an answer that a client received.
type exchanged struct {
	status int
	header http.Header
	body   string
	err    error // from the request or from reading the body
}

// over makes a request over the network. Each request has its own connection, because a
// fault may break it.
func over(ctx context.Context, server *httptest.Server, method, path, body string, headers ...string) exchanged {
	request, err := http.NewRequestWithContext(ctx, method, server.URL+path, strings.NewReader(body))
	if err != nil {
		return exchanged{err: err}
	}
	request.Header.Set("Authorization", "Token token="+accountKey)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return exchanged{err: err}
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	return exchanged{answer.StatusCode, answer.Header, string(content), err}
}

const (
	annBody  = `{"user":{"name":"Ann","email":"ann@example.com"}}`
	lockBody = `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["License error: Unable to perform request at this time. account could not be locked"]}}`
)

// TestAnswersOfFaults covers every fault that answers in place of the account, in the REST
// API and in both Events APIs.
func TestAnswersOfFaults(t *testing.T) {
	tests := []struct {
		name   string
		fault  fault.Fault
		path   string
		status int
		body   string
		kind   string // the beginning of the content type
	}{
		{"status", fault.Fault{Do: "status", Status: 503}, "/users", 503, `{"error":{"message":"Service Unavailable","code":2000}}`, "application/json"},
		{"status with its text", fault.Fault{Do: "status", Status: 408}, "/users", 408, `{"error":{"message":"The request took too long to process. Please try again","code":2016}}`, "application/json"},
		{"status and body", fault.Fault{Do: "status", Status: 500, Body: "{"}, "/users", 500, "{", "application/json"},
		{"status and page", fault.Fault{Do: "status", Status: 200, Body: "<p>"}, "/users", 200, "<p>", "text/html"},
		{"status of an event", fault.Fault{Do: "status", Status: 500}, pathV1, 500, `{"status":"Internal Server Error","message":"Internal Server Error","errors":[]}`, "application/json"},
		{"no content", fault.Fault{Do: "status", Status: 204}, "/users", 204, "", ""},
		{"rate limit", fault.Fault{Do: "rate_limit"}, "/users", 429, `{"error":{"message":"Rate Limit Exceeded","code":2020}}`, "application/json"},
		{"rate limit of v1", fault.Fault{Do: "rate_limit"}, pathV1, 403, throttledBody, "application/json"},
		{"rate limit of v2", fault.Fault{Do: "rate_limit"}, pathV2, 429, throttledBody, "application/json"},
		{"bare rate limit", fault.Fault{Do: "rate_limit_bare"}, "/users", 429, "", ""},
		{"bare rate limit of v1", fault.Fault{Do: "rate_limit_bare"}, pathV1, 403, "", ""},
		{"page", fault.Fault{Do: "html"}, "/users", 502, "<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n", "text/html"},
		{"plain text", fault.Fault{Do: "plain_text"}, pathV2, 400, "Invalid routing key", "text/plain"},
		{"other plain text", fault.Fault{Do: "plain_text", Status: 500, Body: "Oops"}, "/users", 500, "Oops", "text/plain"},
		{"error array", fault.Fault{Do: "error_array"}, pathV2, 400, `{"error":["links should have at most 50 item(s)"]}`, "application/json"},
		{"errors string", fault.Fault{Do: "errors_string", Body: "No"}, "/users", 400, `{"error":{"code":2001,"errors":"No","message":"Invalid Input Provided"}}`, "application/json"},
		{"account lock", fault.Fault{Do: "account_lock"}, "/users", 400, lockBody, "application/json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account, server := faulty(t, simulator.WithFaults(test.fault))
			body := annBody
			if test.path != "/users" {
				body = encode(t, fields{
					"service_key": checkoutKey, "routing_key": checkoutKey, "event_type": "trigger", "event_action": "trigger",
					"description": "d", "payload": payload,
				})
			}
			got := over(t.Context(), server, "POST", test.path, body)
			if got.err != nil || got.status != test.status || got.body != test.body {
				t.Errorf("got %v %d %s, want %d %s", got.err, got.status, got.body, test.status, test.body)
			}
			if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, test.kind) || test.kind == "" && kind != "" {
				t.Errorf("got content type %q, want %q", kind, test.kind)
			}
			if len(account.Users()) != 3 || len(account.Incidents()) != 0 {
				t.Error("the account saw a request that the fault kept away")
			}
			wantRecord(t, account, "fault 1", test.status, false)
		})
	}
}

// wantRecord checks the record of the only request.
func wantRecord(t *testing.T, account *simulator.Simulator, fault string, status int, processed bool) {
	t.Helper()
	requests := account.Requests()
	if len(requests) != 1 {
		t.Fatalf("got %d requests, want 1", len(requests))
	}
	got := requests[0]
	if got.Fault != fault || got.Status != status || got.Processed != processed {
		t.Errorf("got fault %q, status %d, processed %v; want %q, %d, %v", got.Fault, got.Status, got.Processed, fault, status, processed)
	}
	if counts := account.Faults(); counts[0].Applied != 1 || counts[0].Matched != 1 {
		t.Errorf("got %v, want it counted once", counts)
	}
}

// TestEveryStatusCanBeAnswered answers every status at every kind of endpoint.
func TestEveryStatusCanBeAnswered(t *testing.T) {
	for status := 200; status <= 599; status++ {
		account := newAccount(simulator.WithFaults(fault.Fault{Do: "status", Status: status}))
		for _, path := range []string{"/users", pathV1, pathV2} {
			if answer := call(account, "POST", path, ""); answer.Code != status {
				t.Errorf("%s: got %d, want %d", path, answer.Code, status)
			}
		}
	}
}

func TestHeadersOfFaults(t *testing.T) {
	tests := []struct {
		name  string
		fault fault.Fault
		want  map[string]string // "" means absent
	}{
		{"rate limit", fault.Fault{Do: "rate_limit"}, map[string]string{
			"Ratelimit-Limit": "960", "Ratelimit-Remaining": "0", "Ratelimit-Reset": "60",
		}},
		{"rate limit with an odd reset", fault.Fault{Do: "rate_limit", Headers: map[string]string{"ratelimit-reset": "soon"}}, map[string]string{
			"Ratelimit-Reset": "soon",
		}},
		{"rate limit without headers", fault.Fault{Do: "rate_limit", Remove: []string{"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}}, map[string]string{
			"Ratelimit-Limit": "", "Ratelimit-Remaining": "", "Ratelimit-Reset": "", "Content-Type": "application/json",
		}},
		{"bare rate limit", fault.Fault{Do: "rate_limit_bare"}, map[string]string{
			"Ratelimit-Reset": "", "X-Request-Id": "", "Content-Type": "",
		}},
		{"headers", fault.Fault{
			Do: "headers", Headers: map[string]string{"ratelimit-reset": "0", "x-new": "1"}, Remove: []string{"x-request-id", "date", "content-type"},
		}, map[string]string{"Ratelimit-Reset": "0", "X-New": "1", "X-Request-Id": "", "Date": "", "Content-Type": "", "Ratelimit-Limit": "960"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, server := faulty(t, simulator.WithFaults(test.fault))
			got := over(t.Context(), server, "GET", "/users", "")
			if got.err != nil {
				t.Fatal(got.err)
			}
			for name, want := range test.want {
				if value := got.header.Get(name); value != want {
					t.Errorf("%s: got %q, want %q", name, value, want)
				}
			}
		})
	}
}

// TestConnectionFaults covers the faults that break connections or never answer. They differ
// in whether the request has taken effect.
func TestConnectionFaults(t *testing.T) {
	tests := []struct {
		do        fault.Kind
		silent    bool
		processed bool
	}{
		{fault.ResetBefore, false, false},
		{fault.ResetAfter, false, true},
		{fault.TimeoutBefore, true, false},
		{fault.TimeoutAfter, true, true},
	}
	for _, test := range tests {
		t.Run(string(test.do), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			logged := make(chan api.Request, 1)
			account, server := faulty(t, simulator.WithFaults(fault.Fault{Do: test.do}),
				simulator.WithLog(func(r api.Request) { logged <- r }))
			if test.silent {
				go func() {
					<-logged // the account has handled the request; only the answer is missing
					cancel()
				}()
			}
			got := over(ctx, server, "POST", "/users", annBody)
			if got.err == nil {
				t.Fatalf("got %d %s, want no answer", got.status, got.body)
			}
			if errors.Is(got.err, context.Canceled) != test.silent {
				t.Errorf("got %v, want silence: %v", got.err, test.silent)
			}
			if created := len(account.Users()) == 4; created != test.processed {
				t.Errorf("got a user created: %v, want %v", created, test.processed)
			}
			wantRecord(t, account, "fault 1", 0, test.processed)
		})
	}
}

func TestCloseEndsRequestsThatHang(t *testing.T) {
	logged := make(chan api.Request, 1)
	account := newAccount(simulator.WithFaults(fault.Fault{Do: fault.TimeoutAfter}),
		simulator.WithLog(func(r api.Request) { logged <- r }))
	server := httptest.NewServer(account)
	defer server.Close()
	go func() {
		<-logged
		account.Close()
	}()
	if got := over(t.Context(), server, "GET", "/users", ""); got.err == nil {
		t.Errorf("got %d, want a broken connection", got.status)
	}
}

func TestTruncatedBody(t *testing.T) {
	for _, test := range []struct{ method, path, body string }{
		{"GET", "/users", ""},
		{"POST", pathV2, encode(t, eventV2)},
	} {
		account, server := faulty(t, simulator.WithFaults(fault.Fault{Do: fault.TruncatedBody}))
		got := over(t.Context(), server, test.method, test.path, test.body)
		if !errors.Is(got.err, io.ErrUnexpectedEOF) || got.status == 0 || len(got.body) == 0 {
			t.Errorf("%s: got %v, %d, %q; want the beginning of an answer", test.path, got.err, got.status, got.body)
		}
		wantRecord(t, account, "fault 1", 0, true)
	}
}

// TestSlowAnswers moves a clock until the rest of an answer is sent.
func TestSlowAnswers(t *testing.T) {
	for _, do := range []fault.Kind{fault.SlowHeader, fault.SlowBody} {
		t.Run(string(do), func(t *testing.T) {
			clock := newManualClock()
			clock.set = make(chan time.Duration, 1)
			_, server := faulty(t, append(clock.options(), simulator.WithFaults(fault.Fault{Do: do, Delay: fault.Duration(3 * time.Second)}))...)
			answered := make(chan exchanged, 1)
			go func() { answered <- over(t.Context(), server, "GET", "/users", "") }()
			if got := <-clock.set; got != 3*time.Second {
				t.Errorf("got a wait of %v, want 3s", got)
			}
			select {
			case got := <-answered:
				t.Errorf("got %v before the delay was over", got)
			default:
			}
			clock.advance(3 * time.Second)
			if got := <-answered; got.err != nil || got.status != 200 || !strings.HasSuffix(got.body, "}") {
				t.Errorf("got %v, want the whole answer", got)
			}
		})
	}
}

func TestSlowAnswersEndWithTheirClient(t *testing.T) {
	for _, do := range []fault.Kind{fault.SlowHeader, fault.SlowBody} {
		clock := newManualClock()
		clock.set = make(chan time.Duration, 1)
		_, server := faulty(t, append(clock.options(), simulator.WithFaults(fault.Fault{Do: do, Delay: fault.Duration(time.Hour)}))...)
		ctx, cancel := context.WithCancel(t.Context())
		answered := make(chan exchanged, 1)
		go func() { answered <- over(ctx, server, "GET", "/users", "") }()
		<-clock.set
		cancel()
		if got := <-answered; got.err == nil {
			t.Errorf("%s: got %v, want an error", do, got)
		}
	}
}

// TestSlowAnswersTakeNoTimeOnTheVirtualClock: a test with the default clock does not wait.
func TestSlowAnswersTakeNoTimeOnTheVirtualClock(t *testing.T) {
	account := newAccount(simulator.WithFaults(fault.Fault{Do: fault.SlowHeader, Delay: fault.Duration(time.Hour)}))
	if answer := call(account, "GET", "/users", ""); answer.Code != 200 {
		t.Errorf("got %d", answer.Code)
	}
}
