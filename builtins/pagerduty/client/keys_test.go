package client

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/builtins/pagerduty/event"
)

// everyForm prints a value in every way in which a program or its log could print it.
func everyForm(v any) string {
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	text, _ := json.Marshal(v)
	b.Write(text)
	return b.String()
}

// TestTypesDoNotPrintKeys proves that printing a value never shows a key.
func TestTypesDoNotPrintKeys(t *testing.T) {
	c, _, _ := serve(t, V1, ok(""))
	alert := event.Alert{Action: event.Trigger, ServiceKey: testServiceKey, Description: "x"}
	keys := newRedactor(testAPIKey, testServiceKey)
	config := Config{APIKey: testAPIKey, ServiceKey: testServiceKey, APIURL: "https://ann:" + testAPIKey + "@example.com"}
	for _, v := range []any{c, config, alert, &alert, []event.Alert{alert}, map[string]any{"event": alert}} {
		keyless(t, everyForm(v))
	}
	keyless(t, fmt.Sprintf("%v %+v %#v %x", keys, keys, keys, keys))
	if got := alert.LogValue().String(); !strings.Contains(got, redacted) || !strings.Contains(got, `"x"`) {
		t.Errorf("got %s, want the event with its key redacted", got)
	}
}

// TestErrorsDoNotQuoteKeys proves that no error contains a key if an answer quotes it. It
// checks every call, several statuses and shapes, and every error of the chain.
func TestErrorsDoNotQuoteKeys(t *testing.T) {
	both := testAPIKey + " " + testServiceKey
	bodies := []string{
		both,
		`{"error":{"message":"` + both + `","errors":["` + both + `",{"` + testServiceKey + `":["` + escaped(testServiceKey) + `"]}]}}`,
		`{"error":["` + both + `"]}`,
		`{"status":"` + both + `","errors":"` + escaped(both) + `"}`,
		"<html>" + both,
		`{"error":"` + both,
		strings.Repeat("x", maxErrorText-10) + both, // the text is cut within a key
	}
	for _, e := range endpoints() {
		for _, status := range []int{200, 302, 400, 401, 403, 404, 429, 500} {
			for _, body := range bodies {
				c, _, _ := serve(t, e.version, answer{status: status, body: body, header: map[string]string{"X-Request-Id": both, "Location": "/?" + testAPIKey}})
				for err := e.call(context.Background(), c); err != nil; err = errors.Unwrap(err) {
					text := everyForm(err) + err.Error()
					keyless(t, text)
					if strings.Contains(text, testAPIKey[:8]) || strings.Contains(text, testServiceKey[:8]) {
						t.Errorf("%s, %d: %q contains a part of a key", e.name, status, text)
					}
				}
			}
		}
	}
}

// escaped writes every character of a text as a JSON escape.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String()
}

// TestKeysWithEscapes proves that a token with characters that JSON escapes is redacted
// in every spelling.
func TestKeysWithEscapes(t *testing.T) {
	const token = `a"b<c>&d\e/f`
	quoted, _ := json.Marshal(token)
	for _, spelled := range []string{string(quoted), `"` + escaped(token) + `"`, `"x\"` + string(quoted[1:])} {
		_, _, details := decodeError([]byte(`{"errors":[{"a":[`+spelled+`]},{`+spelled+`:1}]}`), newRedactor(token))
		all := strings.Join(details, "\n")
		if strings.Count(all, redacted) != 2 || strings.Contains(all, "e/f") {
			t.Errorf("%s: got %q, want the token redacted", spelled, details)
		}
	}
}

// TestA7KeysInOtherForms: a key that a server echoes in base64, in hexadecimal or with
// escapes is masked before the text is shortened.
func TestA7KeysInOtherForms(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("user:" + testAPIKey + ":x"))
	for name, form := range map[string]string{
		"base64": basic, "hex": hex.EncodeToString([]byte(testAPIKey)), "escapes": strings.ReplaceAll(url.QueryEscape(testAPIKey), "%", "%25"),
		"header": http.CanonicalHeaderKey(testAPIKey), "json": strings.ReplaceAll(escaped(testAPIKey), `\`, `\\`),
	} {
		for _, body := range []string{`{"error":{"message":"` + form + `"}}`, form, `{"errors":[{"` + form + `":1}]}`} {
			pad := strings.Repeat("x", max(0, maxErrorText-len(form)/2)) // the text is cut within the form
			for _, body := range []string{body, strings.Replace(body, form, pad+form, 1)} {
				c, _, _ := serve(t, V1, answer{status: 400, body: body, header: map[string]string{"X-Request-Id": form}})
				_, _, err := c.UserByEmail(context.Background(), "ann@example.com")
				text := everyForm(err)
				for start := 12; start+12 <= len(form); start++ { // no part of it is left
					if strings.Contains(text, form[start:start+12]) {
						t.Fatalf("%s: %s has %q of %q", name, text, form[start:start+12], form)
					}
				}
			}
		}
	}
}

// quotingTransport fails with an error that quotes the Authorization header.
type quotingTransport struct{}

func (quotingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, errors.New("cannot send " + r.Header.Get("Authorization"))
}

// TestTransportErrorsDoNotQuoteKeys proves that errors of the transport are redacted.
func TestTransportErrorsDoNotQuoteKeys(t *testing.T) {
	c, _, _ := serve(t, V1, ok(""))
	c.config.HTTPClient = &http.Client{Transport: quotingTransport{}}
	for _, e := range endpoints()[:4] {
		err := e.call(context.Background(), c)
		if err == nil || !strings.Contains(err.Error(), redacted) {
			t.Errorf("%s: got %v, want an error with the key redacted", e.name, err)
		}
		for ; err != nil; err = errors.Unwrap(err) {
			keyless(t, everyForm(err)+err.Error())
		}
	}
}

// TestOwnClientFollowsNoRedirects proves that a caller's own HTTP client follows no
// redirect either, and that New does not change it.
func TestOwnClientFollowsNoRedirects(t *testing.T) {
	elsewhere := &service{answers: []answer{ok(`{"user":{"id":"P1"}}`)}}
	other := httptest.NewServer(elsewhere)
	defer other.Close()
	for _, e := range endpoints() {
		_, s, clock := serve(t, e.version, answer{status: http.StatusTemporaryRedirect, header: map[string]string{"Location": other.URL}})
		server := httptest.NewServer(s)
		own := &http.Client{}
		c, err := New(Config{
			APIKey: testAPIKey, ServiceKey: testServiceKey, FromEmail: "ops@example.com", APIURL: server.URL, EventsURL: server.URL,
			EventsAPI: e.version, HTTPClient: own, Sleep: clock.sleep, Now: clock.time,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.call(context.Background(), c); err == nil || elsewhere.tries() != 0 || own.CheckRedirect != nil {
			t.Errorf("%s: got %v and %d requests elsewhere, want an error and none", e.name, err, elsewhere.tries())
		}
		server.Close()
	}
}
