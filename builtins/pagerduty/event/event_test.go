package event

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestKeysAreFrozen (P3): the key that is sent for a key is the same in every release, because an incident may
// stay open while pdflow is updated. Do not change these results.
func TestKeysAreFrozen(t *testing.T) {
	for key, want := range map[string]string{
		"db1-disk":               "db1-disk",
		strings.Repeat("ü", 255): strings.Repeat("ü", 255),
		strings.Repeat("k", 256): strings.Repeat("k", 222) + "~ce16fe78208a4e93f7158e62393680e0",
		strings.Repeat("ü", 300): strings.Repeat("ü", 222) + "~969222e5c9d4ea6630efe52a32662d07",
		"a\xff":                  "a\uFFFD~8dd06b5ab6b594257e41b7d8dd440a40",
		"a\xfe":                  "a\uFFFD~f6fabf9c378f8de9f13b498e298241cf",
	} {
		got := Key(key)
		if got != want {
			t.Errorf("%.20q: got %q, want %q", key, got, want)
		}
		if Key(got) != got {
			t.Errorf("%.20q: a later step that uses the key which was sent sends %q", key, Key(got))
		}
	}
}

// trigger returns a trigger with a description.
func trigger(change func(*Alert)) Alert {
	a := Alert{Action: Trigger, IncidentKey: "k", Description: "disk full", Fallback: "check: step page (no description)"}
	change(&a)
	return a
}

// TestFit (P1, P2, P4, P5, P9): what PagerDuty would not take is changed, and the details say so.
func TestFit(t *testing.T) {
	type object = map[string]any
	long := strings.Repeat("ü", 1100)
	for name, test := range map[string]struct {
		given Alert
		want  Alert // of it the fields that are not empty
		notes []string
		gone  bool // details, contexts, client_url are empty
	}{
		"fine": {given: trigger(func(a *Alert) {
			a.Details, a.Contexts = object{"used": 97.0}, []object{{"type": "link", "href": "https://example.com/"}}
			a.Client, a.ClientURL = "monitor", "https://example.com/"
		}), want: Alert{
			Description: "disk full", Client: "monitor", ClientURL: "https://example.com/",
			Details: object{"used": 97.0}, Contexts: []object{{"type": "link", "href": "https://example.com/"}},
		}},
		"longest text": {given: trigger(func(a *Alert) { a.Description = long[:2048] }), want: Alert{Description: long[:2048]}, gone: true},
		"long text": {
			given: trigger(func(a *Alert) { a.Description = long }),
			want:  Alert{Description: long[:2046] + "…", Details: object{"full_description": long}},
			notes: []string{"description: shortened from 1,100 to 1,024 characters"},
		},
		"cut inside a character": {
			given: trigger(func(a *Alert) { a.Description = "caf\xc3" }), want: Alert{Description: "caf\uFFFD"},
			notes: []string{"description: bytes that are not UTF-8 text are replaced"},
		},
		"blank": {
			given: trigger(func(a *Alert) { a.Description = " \n" }), want: Alert{Description: "check: step page (no description)"},
			notes: []string{"description: it is empty"},
		},
		"blank, and no fallback": {
			given: trigger(func(a *Alert) { a.Description, a.Fallback = "", "" }), want: Alert{Description: "(no description)"},
			notes: []string{"description: it is empty"},
		},
		"bad contexts": {
			given: trigger(func(a *Alert) {
				a.Contexts = []object{{"type": "link", "href": ""}, {"type": "image", "src": "http://x/y.png"}, {"type": "lnk"}, {}, {"type": "link", "href": "https://a/", "text": nil}}
			}),
			want: Alert{Contexts: []object{{"type": "link", "href": "https://a/"}}},
			notes: []string{
				"contexts[1]: it is a link without href; it is left out", "contexts[2]: it is an image whose src is not an https URL; it is left out",
				`contexts[3]: it has the type "lnk"; use link or image; it is left out`,
				"contexts[4]: it has no type; write {type: link, href: ...} or {type: image, src: ...}; it is left out",
			},
		},
		"bad URL": {
			given: trigger(func(a *Alert) { a.ClientURL = "monitor" }),
			notes: []string{`client_url: "monitor" is not a URL such as https://example.com/status; it is left out`},
		},
		"large field": {
			given: trigger(func(a *Alert) { a.Details = object{"host": "db1", "log": strings.Repeat("x", 520_000)} }),
			want:  Alert{Details: object{"host": "db1", "log": "(520,002 bytes, left out)"}},
			notes: []string{"details: shortened from 520,023 bytes"},
		},
		"large field within": {
			given: trigger(func(a *Alert) {
				a.Details = object{"a": object{"b": []any{1.0, object{"c": strings.Repeat("x", 600_000), "d": "kept"}}}}
			}),
			want:  Alert{Details: object{"a": object{"b": []any{1.0, object{"c": "(600,002 bytes, left out)", "d": "kept"}}}}},
			notes: []string{"details: shortened from 600,035 bytes"},
		},
		"not JSON": {
			given: trigger(func(a *Alert) { a.Details = object{"n": math.NaN(), "t\xff": "a\xff", "u": func() {}} }),
			notes: []string{
				"details: a number that JSON cannot hold became text", "details: bytes that are not UTF-8 text are replaced",
				"details: a value that JSON cannot hold became text",
			},
		},
	} {
		got, notes := test.given.Fit()
		if !reflect.DeepEqual(notes, test.notes) && len(notes)+len(test.notes) > 0 {
			t.Errorf("%s: got the notes %q, want %q", name, notes, test.notes)
		}
		for field, pair := range map[string][2]any{
			"description": {got.Description, test.want.Description}, "client": {got.Client, test.want.Client}, "client_url": {got.ClientURL, test.want.ClientURL},
			"contexts": {got.Contexts, test.want.Contexts},
		} {
			if !reflect.ValueOf(pair[1]).IsZero() && !reflect.DeepEqual(pair[0], pair[1]) {
				t.Errorf("%s: %s is %.80v, want %.80v", name, field, pair[0], pair[1])
			}
		}
		for field, want := range test.want.Details {
			if !reflect.DeepEqual(got.Details[field], want) {
				t.Errorf("%s: details.%s is %.80v, want %.80v", name, field, got.Details[field], want)
			}
		}
		if kept, _ := got.Details["pdflow_notes"].([]any); len(kept) != len(test.notes) {
			t.Errorf("%s: the details have the notes %q, want %q", name, kept, test.notes)
		}
		if test.gone && got.Details != nil {
			t.Errorf("%s: the details are %v, want none", name, got.Details)
		}
	}
}

// TestFitChange: a change event is made to fit in the same way.
func TestFitChange(t *testing.T) {
	got, notes := Change{Summary: strings.Repeat("x", 2000), Timestamp: "noon", Links: []map[string]any{{"text": "x"}}}.Fit()
	want := []string{
		"summary: shortened from 2,000 to 1,024 characters", `timestamp: "noon" is not a time; it is left out`,
		"links[1]: it is a link without href; it is left out",
	}
	if !reflect.DeepEqual(notes, want) || length(got.Summary) != MaxText || got.Timestamp != "" || got.Links != nil || length(got.Details["full_summary"].(string)) != 2000 {
		t.Errorf("got %q, %v, want %q", notes, got, want)
	}
}

// TestTime (W1): the times that ISO 8601 and RFC 3339 have in common are taken, and PagerDuty's own example.
func TestTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-31T09:00:00Z":         "2026-01-31T09:00:00Z",
		"2015-07-17T08:42:58.315+0000": "2015-07-17T08:42:58.315Z",
		"2015-07-17T08:42:58.315+0200": "2015-07-17T08:42:58.315+02:00",
		"2026-01-31T09:00:00.5-23:59":  "2026-01-31T09:00:00.5-23:59",
		"2026-01-31T9:00:00Z":          "", "2026-01-31T09:00:00,5Z": "", "2026-01-31T09:00:00+24:00": "", "2026-01-31T09:00:00-24:00": "",
		"2026-01-31": "", "yesterday": "", "": "", "2026-02-30T09:00:00Z": "", "2026-01-31 09:00:00Z": "", "2026-01-31T25:00:00Z": "",
	} {
		if got, err := Time(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}

// TestAlertOf (P9): values of the wrong type are used as far as they mean something.
func TestAlertOf(t *testing.T) {
	type object = map[string]any
	a := AlertOf(Trigger, object{
		"description": 97.5, "incident_key": 5.0, "client": true, "details": []any{1.0}, "contexts": object{"type": "link", "href": "https://a/"},
		"descripton": "typo", "client_url": nil, "service_key": "secret",
	})
	want := Alert{
		Action: Trigger, Description: "97.5", IncidentKey: "5", Client: "true", Details: object{"value": []any{1.0}, "descripton": "typo"},
		Contexts: []object{{"type": "link", "href": "https://a/"}}, Notes: []string{
			"details: it is a list and not an object; it is sent as the field value", "contexts: it is an object and not a list; it is sent as the only item",
			`there is no input "descripton"; it is sent in the details`,
		},
	}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got %#v %q %v, want %#v %q %v", a, a.Notes, a.Details, want, want.Notes, want.Details)
	}
	a = AlertOf(Trigger, object{"description": object{"b": 1.0, "a": []any{"<x>", 0.5}}, "details": "text", "contexts": []any{"x"}})
	if a.Description != `{"a":["<x>",0.5],"b":1}` || a.Details["value"] != "text" || a.Contexts != nil || len(a.Notes) != 3 {
		t.Errorf("got %#v %q", a, a.Notes)
	}
}

// TestEveryAlertFits: whatever the values are, the result is within PagerDuty's limits, and fitting it again
// changes nothing.
func TestEveryAlertFits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rounds := 500
	if testing.Short() {
		rounds = 100
	}
	for range rounds {
		given := map[string]any{}
		for _, name := range []string{"description", "incident_key", "client", "client_url", "details", "contexts", "other"} {
			if random.IntN(4) > 0 {
				given[name] = anyValue(random, 4)
			}
		}
		before, _ := json.Marshal(given)
		a, notes := AlertOf(Trigger, given).Fit()
		if after, _ := json.Marshal(given); string(before) != string(after) {
			t.Fatalf("%.200s: the values were changed", before)
		}
		if problem := unfit(a); problem != "" {
			t.Fatalf("%.200s: %s", before, problem)
		}
		again, more := a.Fit()
		if len(more) > 0 || !reflect.DeepEqual(a, again) {
			t.Fatalf("%.200s: fitting it again changes %q", before, more)
		}
		if (len(notes) > 0) != (a.Details["pdflow_notes"] != nil) {
			t.Fatalf("%.200s: the notes are %q, and the details %.200v", before, notes, a.Details)
		}
	}
}

// unfit says which limit of PagerDuty an alert breaks.
func unfit(a Alert) string {
	body, err := json.Marshal(a)
	switch {
	case err != nil:
		return err.Error()
	case len(body)+size(a.Client) > MaxBytes:
		return "it has too many bytes"
	case strings.TrimSpace(a.Description) == "" || length(a.Description) > MaxText:
		return "the description is empty or too long"
	case length(a.IncidentKey) > MaxKey:
		return "the key is too long"
	case !utf8.ValidString(a.Description + a.IncidentKey + a.Client + a.ClientURL):
		return "a text is not UTF-8"
	case wrongURL(a.ClientURL) != "":
		return "client_url is not a URL"
	}
	for _, c := range a.Contexts {
		if problem := checkContext(c); problem != "" {
			return problem
		}
	}
	return ""
}

// anyValue returns a value of any shape, some of them far too large.
func anyValue(random *rand.Rand, depth int) any {
	switch random.IntN(12) {
	case 0:
		return nil
	case 1:
		return random.IntN(2) == 0
	case 2:
		return math.Ldexp(random.Float64()-0.5, random.IntN(2000)-1000)
	case 3:
		return math.NaN()
	case 4:
		return strings.Repeat(string(rune(0x20+random.IntN(0x3000))), random.IntN(3000))
	case 5:
		if random.IntN(8) > 0 {
			return "<\u2028>"
		}
		return strings.Repeat("\u2028<>&", random.IntN(60_000))
	case 6:
		return string([]byte{0xff, byte(random.IntN(256)), 'a'})
	case 7:
		return "https://example.com/" + strings.Repeat("x", random.IntN(3000))
	case 8, 9:
		list := make([]any, random.IntN(60))
		for i := range list {
			list[i] = map[string]any{"type": []string{"link", "image", "x"}[random.IntN(3)], "href": "https://a/", "src": "https://a/"}
			if depth > 0 && random.IntN(8) == 0 {
				list[i] = anyValue(random, depth-1)
			}
		}
		return list
	default:
		o := map[string]any{}
		for range random.IntN(8) {
			name := string([]byte{byte(random.IntN(256)), byte(random.IntN(128))})
			if o[name] = "x"; depth > 0 {
				o[name] = anyValue(random, depth-1)
			}
		}
		return o
	}
}

// TestSize: the size of a value is that of its JSON.
func TestSize(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		f := fitting{}
		v := (&cleaner{fitting: &f}).value(anyValue(random, 3), 0)
		if got, want := size(v), len(mustMarshal(t, v)); got != want {
			t.Fatalf("got %d, want %d for %.200s", got, want, mustMarshal(t, v))
		}
	}
	for _, v := range []any{"", "\"\\\n\x00\x1f\u2028\u2029é<>&", map[string]any{}, []any{}, nil, true, 1e300, []any{1.0, "a"}} {
		if got, want := size(v), len(mustMarshal(t, v)); got != want {
			t.Errorf("%v: got %d, want %d", v, got, want)
		}
	}
}

// TestDeepDetails: details of a thousand levels are cut where nobody reads any more.
func TestDeepDetails(t *testing.T) {
	var deep any = "x"
	for range 1000 {
		deep = map[string]any{"a": deep}
	}
	a, notes := trigger(func(a *Alert) { a.Details = map[string]any{"a": deep} }).Fit()
	if len(notes) != 1 || !strings.Contains(notes[0], "deeper than 32 levels") || strings.Count(string(mustMarshal(t, a.Details)), `"a"`) != 32 {
		t.Errorf("got %q, %s", notes, mustMarshal(t, a.Details))
	}
}

// TestManyNotes: an event with thousands of mistakes has some of them as notes, and how many there are.
func TestManyNotes(t *testing.T) {
	a, notes := trigger(func(a *Alert) { a.Contexts = make([]map[string]any, 5000) }).Fit()
	if len(notes) != maxNotes+1 || notes[maxNotes] != "and 4,980 more changes" || unfit(a) != "" {
		t.Errorf("got %d notes, the last %q", len(notes), notes[len(notes)-1])
	}
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// FuzzKey: two keys never become one, and what is sent is what PagerDuty takes.
func FuzzKey(f *testing.F) {
	for _, seed := range []string{"a", "a\xff", strings.Repeat("k", 256), "é"} {
		f.Add(seed, seed+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, key := range []string{a, b, strings.Repeat(a, 300), strings.Repeat(a, 300) + b} {
			if sent := Key(key); !utf8.ValidString(sent) || length(sent) > MaxKey {
				t.Errorf("%q is sent as %q", key, sent)
			}
		}
		if a != b && Key(a) == Key(b) && Key(a) != a && Key(b) != b {
			t.Errorf("%q and %q become one", a, b)
		}
	})
}
