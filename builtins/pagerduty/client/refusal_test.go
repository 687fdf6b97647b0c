package client

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestErrorBodies proves how the bodies of refusals are read: PagerDuty's shapes, the
// shapes of proxies, and broken bodies.
func TestErrorBodies(t *testing.T) {
	const invalid = "Invalid Input Provided"
	for _, test := range []struct {
		body    string
		code    int
		message string
		details []string
	}{
		{`{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Email has already been taken"]}}`, 2001, invalid, []string{"Email has already been taken"}},
		{`{"error":{"message":"Invalid Input Provided","code":2001,"errors":"Email has already been taken"}}`, 2001, invalid, []string{"Email has already been taken"}},
		{`{"error":{"message":"Not Found","code":2100}}`, 2100, "Not Found", nil},
		{`{"error":["links should have at most 50 item(s)"]}`, 0, "", []string{"links should have at most 50 item(s)"}},
		{`{"error":"nope"}`, 0, "", []string{"nope"}},
		{`{"status":"invalid event","message":"Event object is invalid","errors":["Service key is the wrong length (should be 32 characters)"]}`, 0, "Event object is invalid", []string{"Service key is the wrong length (should be 32 characters)"}},
		{`{"status":"throttle exceeded","message":"Requests for this service are arriving too quickly.  Please retry later."}`, 0, "Requests for this service are arriving too quickly.  Please retry later.", nil},
		{`{"errors":[{"a":1}]}`, 0, "", []string{`{"a":1}`}},
		{`{"error":{"message":"No","code":"2001"}}`, 2001, "No", nil},
		{`{"error":{"message":["No","Never"],"code":{"a":1},"errors":{"name":["is blank"],"email":"is taken"}}}`, 0, "No; Never", []string{"email is taken", `name ["is blank"]`}},
		{`{"error":{},"message":"No"}`, 0, "No", nil},
		{`{"message":"No","code":7}`, 7, "No", nil},
		{`["No","Never"]`, 0, "No", []string{"Never"}},
		{`"No"`, 0, "No", nil},
		{`"No`, 0, "the answer is not valid JSON; it may have been cut off", nil},
		{`["No`, 0, "the answer is not valid JSON; it may have been cut off", nil},
		{"\ufeff" + `{"error":"nope"}`, 0, "", []string{"nope"}},
		{"  \n", 0, "", nil},
		{`{"error":{"message":"` + strings.Repeat("x", 9<<20) + `"}}`, 0, strings.Repeat("x", 200) + "…", nil},
		{"Invalid routing key", 0, "Invalid routing key", nil},
		{"<html><body>Bad Gateway</body></html>", 0, "the answer is a web page and not from PagerDuty; a proxy or a load balancer may have sent it", nil},
		{`{"error":{"message":"Inv`, 0, "the answer is not valid JSON; it may have been cut off", nil},
		{"", 0, "", nil},
		{"null", 0, "", nil},
		{"line\none\x00", 0, "line one", nil},
		{strings.Repeat("x", 500), 0, strings.Repeat("x", 200) + "…", nil},
	} {
		code, message, details := decodeError([]byte(test.body), nil)
		got := []any{code, message, details}
		if diff := cmp.Diff([]any{test.code, test.message, test.details}, got); diff != "" {
			t.Errorf("%.60q (-want +got):\n%s", test.body, diff)
		}
	}
}

// TestHints proves the kind and the hint of a refusal.
func TestHints(t *testing.T) {
	post := request{method: "POST", policy: creates}
	for _, test := range []struct {
		r      request
		status int
		body   string
		kind   Kind
		hint   string // a part of it
	}{
		{post, 401, "", Unauthorized, "region eu"},
		{post, 400, `{"error":{"message":"You must specify a user's email address in the \"From\" header to perform this action","code":2016}}`, InvalidInput, "From must be the e-mail"},
		{post, 400, `{"error":{"message":"Malformed \"From\" header","code":1028}}`, InvalidInput, "From must be the e-mail"},
		{post, 400, `{"error":{"message":"Requester User Not Found","code":1008}}`, InvalidInput, "From must be the e-mail"},
		{post, 400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["Email has already been taken"]}}`, Conflict, ""},
		{post, 402, "", Forbidden, "plan of the account"},
		{post, 403, `{"error":{"message":"Missing Account Ability","code":2014}}`, Forbidden, "plan of the account"},
		{request{method: "POST", policy: creates, priority: writes}, 403, `{"error":{"message":"Access Denied","code":2010}}`, Forbidden, "read-only key"},
		{post, 400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["License error: account could not be locked"]}}`, Unavailable, "max_parallel"},
		{request{method: "DELETE", policy: deletes}, 400, `{"error":{"errors":["account could not be locked"]}}`, Unavailable, "max_parallel"},
		{request{method: "GET", policy: reads, credential: testServiceKey}, 401, "", Unauthorized, "looks like an integration key"},
		{request{method: "GET", policy: reads, credential: testAPIKey}, 401, "", Unauthorized, "region eu"},
		{request{method: "DELETE", policy: deletes}, 400, "", Conflict, "schedules"},
		{request{method: "POST", policy: eventsV2}, 400, "Invalid routing key", InvalidInput, "integration key"},
		{request{method: "GET", policy: reads}, 302, "", Unavailable, "redirects"},
	} {
		f := refusal(test.r, response{status: test.status, body: []byte(test.body)})
		if f.Kind != test.kind || !strings.Contains(f.Hint, test.hint) {
			t.Errorf("%s %d %s: got %s, %q, want %s, %q", test.r.method, test.status, test.body, f.Kind, f.Hint, test.kind, test.hint)
		}
	}
}

// FuzzDecodeError proves that the body of a refusal never causes a panic, and that its
// texts are short, valid, on one line and without keys.
func FuzzDecodeError(f *testing.F) {
	for _, seed := range []string{
		`{"error":{"errors":["x"]}}`, `{"error":[1]}`, "<html>", "", "{", `{"errors":{"a":[]}}`, `{"errors":[{"aB1":"\u0061B1"}]}`,
		`["aB1"]`, `"aB1"`, `{"error":{"message":["x"],"code":"1","errors":{"aB1":["aB1"]}}}`, "\ufeff{}", `{"error":{"code":1e999}}`,
		`{"message":7,"status":{"aB1":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, message, details := decodeError(body, newRedactor("aB1"))
		for _, text := range append(details, message) {
			if strings.ContainsAny(text, "\n\r\x00") || utf8.RuneCountInString(text) > maxErrorText+1 || !utf8.ValidString(text) || strings.Contains(text, "aB1") {
				t.Errorf("got %q", text)
			}
		}
	})
}

// TestA24LargeRefusal: the error of an answer of megabytes is a message that a person can
// read and that fits into an event.
func TestA24LargeRefusal(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector makes megabytes slow, and nothing is shared here")
	}
	many := strings.Repeat(`"a text that is repeated",`, 200_000)
	var fields strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&fields, `"field%d": ["is wrong"],`, i)
	}
	for name, body := range map[string]string{
		"a list":          `{"error":{"message":"no","code":1,"errors":[` + many + `"x"]}}`,
		"a list outside":  `[` + many + `"x"]`,
		"fields":          `{"error":{"message":"no","errors":{` + fields.String() + `"x":"y"}}}`,
		"a long text":     `{"error":{"message":"` + strings.Repeat("x", 5_700_000) + `"}}`,
		"a long code":     `{"message":"m","errors":["` + strings.Repeat("x ", 2_000_000) + `"]}`,
		"a list as text":  `{"message":[` + many + `"x"]}`,
		"lists in a list": `{"errors":[[` + many + `"x"],[` + many + `"x"]]}`,
		"plain":           strings.Repeat("x", 5_700_000),
		"a page":          "<html>" + strings.Repeat("x", 5_700_000),
	} {
		t.Run(name, func(t *testing.T) {
			f := refusal(request{op: "look", method: "GET"}, response{status: 400, body: []byte(body), header: http.Header{"X-Request-Id": {strings.Repeat("r", 200_000)}}})
			if text := f.Error(); len(text) > 16<<10 {
				t.Errorf("the message has %d bytes: %.300s", len(text), text)
			}
		})
	}
	if _, _, details := decodeError([]byte(`{"errors":[`+many+`"x"]}`), nil); details[len(details)-1] != "and 199991 more" {
		t.Errorf("got %q at the end, want how many there are", details[len(details)-1])
	}
}
