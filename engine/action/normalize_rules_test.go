package action_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

// TestProblemPaths checks that all problems of a value are found at once, each with its rule
// and path.
func TestProblemPaths(t *testing.T) {
	secret := action.Secret{Name: "S"}
	_, problems := echo().In.Normalize(action.Object{
		"links": []any{action.Object{"href": 5.0}, action.Object{"text": "x", "hrfe": "y"}, "z", nil},
		"tags":  []any{"a", 1.0, secret}, "details": action.Object{"deep": []any{1.0, action.Object{"s": secret}}},
		"key": 5.0, "nothing": nil,
	})
	type problem struct{ Rule, Path, Name, Message string }
	var got []problem
	for _, p := range problems {
		got = append(got, problem{p.Rule, p.Path, p.Name(), p.Message})
	}
	want := []problem{
		{"missing-input", "name", "name", `required input "name" is missing`},
		{"bad-input", "tags[2]", "tags[2]", `"tags[2]" must be a string, got number 1`},
		{"bad-input", "tags[3]", "tags[3]", `"tags[3]" does not take a secret, got ‹secret S›`},
		{"bad-input", "links[1].href", "href", `"links[1].href" must be a string, got number 5`},
		{"missing-input", "links[2].href", "href", `required input "links[2].href" is missing`},
		{"unknown-input", "links[2].hrfe", "hrfe", `unknown input "links[2].hrfe"`},
		{"bad-input", "links[3]", "links[3]", `"links[3]" must be an object, got string "z"`},
		{"bad-input", "links[4]", "links[4]", `"links[4]" must be an object, got null`},
		{"bad-input", "details.deep[2].s", "s", `"details.deep[2].s" does not take a secret, got ‹secret S›`},
		{"bad-input", "key", "key", `"key" must be a string, got a number`},
		{"unknown-input", "nothing", "nothing", `unknown input "nothing"`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEmptyTables checks that an empty table of Lua becomes a list or an object as the schema
// says, and that an empty object is still checked.
func TestEmptyTables(t *testing.T) {
	type place struct {
		City string `json:"city" required:"true" doc:"The city."`
	}
	type settings struct {
		Speed string `json:"speed" default:"fast" doc:"How fast."`
	}
	type in struct {
		Place    place         `json:"place" doc:"A place."`
		Settings settings      `json:"settings" doc:"Settings."`
		Free     action.Object `json:"free" doc:"Anything."`
		List     []any         `json:"list" doc:"A list."`
		Any      any           `json:"any" doc:"Anything."`
	}
	schema := declare[in]().In
	for _, none := range []any{[]any{}, action.Object{}} {
		got, problems := schema.Normalize(action.Object{"settings": none, "free": none, "list": none, "any": none})
		want := action.Object{"settings": action.Object{"speed": "fast"}, "free": action.Object{}, "list": []any{}, "any": none}
		if diff := cmp.Diff(want, got); diff != "" || problems != nil {
			t.Errorf("%v (-want +got):\n%s", problems, diff)
		}
		if _, problems := schema.Normalize(action.Object{"place": none}); len(problems) != 1 || problems[0].Path != "place.city" {
			t.Errorf("%T: got %v, want the missing city", none, problems)
		}
	}
	if _, problems := schema.Normalize(action.Object{"list": action.Object{"a": 1.0}}); len(problems) != 1 {
		t.Errorf("got %v, want an object refused where a list is wanted", problems)
	}
}

// TestSecretPlaces checks which inputs take a secret.
func TestSecretPlaces(t *testing.T) {
	type login struct {
		User     string            `json:"user" doc:"A name."`
		Password action.Credential `json:"password" doc:"A password."`
	}
	type in struct {
		Headers action.Object       `json:"headers" secrets:"true" doc:"Headers."`
		Body    any                 `json:"body" secrets:"true" doc:"A body."`
		Plain   any                 `json:"plain" doc:"Anything without secrets."`
		Key     action.Credential   `json:"key" doc:"A key."`
		Keys    []action.Credential `json:"keys" doc:"Keys."`
		Login   login               `json:"login" doc:"A login."`
		Logins  []login             `json:"logins" doc:"Logins."`
		Count   int                 `json:"count" doc:"A number."`
	}
	schema, secret := declare[in]().In, action.Secret{Name: "S"}
	for _, test := range []struct {
		in   action.Object
		want string // "" when the secret is accepted
	}{
		{action.Object{"headers": action.Object{"A": secret}}, ""},
		{action.Object{"body": secret}, ""},
		{action.Object{"body": []any{action.Object{"deep": secret}}}, ""},
		{action.Object{"key": secret}, ""},
		{action.Object{"keys": []any{"text", secret}}, ""},
		{action.Object{"login": action.Object{"password": secret}}, ""},
		{action.Object{"logins": []any{action.Object{"password": secret}}}, ""},
		{action.Object{"headers": secret}, `"headers" must be an object with the secret as a field of it, got secret S`},
		{action.Object{"plain": secret}, `"plain" does not take a secret, got ‹secret S›`},
		{action.Object{"plain": []any{secret}}, `"plain[1]" does not take a secret, got ‹secret S›`},
		{action.Object{"login": action.Object{"user": secret}}, `"login.user" does not take a secret, got ‹secret S›`},
		{action.Object{"login": secret}, `"login" does not take a secret, got ‹secret S›`},
		{action.Object{"count": secret}, `"count" does not take a secret, got ‹secret S›`},
	} {
		problems := schema.Check(test.in)
		got := ""
		if len(problems) > 0 {
			got = problems[0].Message
		}
		if got != test.want || len(problems) > 1 {
			t.Errorf("%v: got %v, want %q", test.in, problems, test.want)
		}
	}
	for hint, problems := range map[string]action.Problems{
		"secrets may be used in: headers, body, key, keys, login, logins": schema.Check(action.Object{"count": 1.0, "plain": secret}),
		"none of the inputs takes a secret":                               declare[greetInput]().In.Check(action.Object{"name": secret}),
	} {
		if len(problems) != 1 || problems[0].Hint != hint {
			t.Errorf("got %v, want the hint %q", problems, hint)
		}
	}
	// Plain text in the place of a secret is found, so that it can be refused in a file and
	// masked in a log.
	plain := schema.PlainCredentials(action.Object{
		"key": "a", "keys": []any{"b", secret}, "login": action.Object{"user": "u", "password": "c"}, "logins": []any{action.Object{"password": "d"}}, "body": "e",
	})
	want := []action.PlainCredential{{Path: "key", Text: "a"}, {Path: "keys[1]", Text: "b"}, {Path: "login.password", Text: "c"}, {Path: "logins[1].password", Text: "d"}}
	if diff := cmp.Diff(want, plain); diff != "" {
		t.Errorf("plain credentials (-want +got):\n%s", diff)
	}
}

// TestDurations checks the forms of a duration.
func TestDurations(t *testing.T) {
	for _, test := range []struct {
		in   any
		want time.Duration
	}{
		{"5s", 5 * time.Second},
		{"1h30m", 90 * time.Minute},
		{"250ms", 250 * time.Millisecond},
		{"0", 0},
		{"1d", 24 * time.Hour},
		{"1d12h", 36 * time.Hour},
		{5.0, 5 * time.Second},
		{0.25, 250 * time.Millisecond},
		{0.0, 0},
		{"99999d", 99999 * 24 * time.Hour},
	} {
		if got, err := action.DurationOf(test.in); err != nil || got != test.want {
			t.Errorf("%v: got %s, %v, want %s", test.in, got, err, test.want)
		}
	}
	for _, in := range []any{
		"", "5", "soon", "-5s", "d", "1d1d", "1d-5s", "999999d", "99999d2562047h", "9999999999h", "5 s", // texts
		-1.0, math.NaN(), math.Inf(1), 1e10, true, nil, []any{},
	} {
		if got, err := action.DurationOf(in); err == nil {
			t.Errorf("%v: got %s, want an error", in, got)
		}
	}
}

// TestFormats checks which texts each format accepts.
func TestFormats(t *testing.T) {
	for _, test := range []struct{ format, good, bad string }{
		{"email", "ann@example.com a.b+c@ex-ample.co.uk ann@localhost", "ann ann@ @example.com ann@exa_mple.com <ann@example.com> ann@[1.2.3.4] " + strings.Repeat("a", 65) + "@example.com"},
		{"url", "https://example.com http://[::1]:8080/x?q=1 HTTPS://example.com", "example.com ftp://example.com https:// https://:443 /path mailto:a@b http://%zz"},
		{"hostname", "example.com db1 a-b.c. 127.0.0.1", "-a a- a..b a_b " + strings.Repeat("a", 64)},
		{"ip", "127.0.0.1 ::1", "127.0.0 1.2.3.4.5 example.com 127.0.0.1/8"},
		{"date", "2026-01-31", "2026-02-30 31.01.2026 2026-1-31"},
		{"date-time", "2026-01-31T09:00:00Z 2026-01-31T09:00:00.5+02:00", "2026-01-31 2026-01-31T09:00:00"},
	} {
		for _, text := range strings.Fields(test.good) {
			if err := action.CheckFormat(test.format, text); err != nil {
				t.Errorf("%s: %s was refused: %v", test.format, text, err)
			}
		}
		for _, text := range append(strings.Fields(test.bad), "", "a b") {
			if action.CheckFormat(test.format, text) == nil {
				t.Errorf("%s: %q was accepted", test.format, text)
			}
		}
	}
	if err := action.CheckFormat("", "anything"); err != nil {
		t.Errorf("got %v", err)
	}
}

// TestIntegers checks that no digit of a whole number is lost in an input or an output.
func TestIntegers(t *testing.T) {
	count, _ := echo().In.Field("count")
	for in, accepted := range map[float64]bool{
		0: true, -3: true, 1 << 53: true, -1 << 53: true, 1<<53 + 2: false, 1e300: false, 0.5: false, math.Inf(1): false, math.NaN(): false,
	} {
		if _, problems := count.Normalize(in); (problems == nil) != accepted {
			t.Errorf("%v: got %v, want accepted %v", in, problems, accepted)
		}
	}
	type numbers struct {
		Small int64 `json:"small" doc:"Small."`
		Exact int64 `json:"exact" doc:"The largest exact one."`
		Large int64 `json:"large" doc:"Beyond."`
	}
	out := encode(t, numbers{-7, 1 << 53, 1<<53 + 1})
	want := action.Object{"small": -7.0, "exact": float64(1 << 53), "large": "9007199254740993"}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestA6CredentialsAreNotQuoted: whatever is wrong with a text that may be a secret, the
// problem says what and where, and does not quote it.
func TestA6CredentialsAreNotQuoted(t *testing.T) {
	field := func(f action.Field) action.Field {
		f.Name, f.Type = "key", action.Type{Name: action.StringType, Credential: true}
		return f
	}
	inner := &action.Schema{Name: "auth", Fields: []action.Field{field(action.Field{})}}
	list := action.Field{Name: "key", Type: action.Type{Name: action.ListType, Elem: &action.Type{Name: action.StringType, Credential: true}}}
	long := strings.Repeat("123456789 ", 1000)
	for _, test := range []struct {
		field action.Field
		value any
		want  string
	}{
		{field(action.Field{}), 123456789.0, `"key" must be a string, got a number (put it in quotes, or use tostring() in Lua)`},
		{field(action.Field{}), true, `"key" must be a string, got a boolean (put it in quotes, or use tostring() in Lua)`},
		{field(action.Field{}), []any{"123456789"}, `"key" must be a string, got a list`},
		{field(action.Field{}), action.Object{"123456789": "123456789"}, `"key" must be a string, got an object`},
		{field(action.Field{}), "123456789\xff", `"key" is not valid UTF-8 text (encode bytes with base64.encode)`},
		{field(action.Field{Enum: []string{"123456780"}}), "123456789", `"key" is none of the values of its enum (its text is not shown)`},
		{field(action.Field{MaxLength: 5}), "123456789", `"key" is 9 characters long, at most 5 are allowed`},
		{list, []any{"ok", 123456789.0}, `"key[2]" must be a string, got a number (put it in quotes, or use tostring() in Lua)`},
		{action.Field{Name: "auth", Type: action.Type{Name: "auth", Fields: inner}}, action.Object{"key": 123456789.0}, `"auth.key" must be a string, got a number (put it in quotes, or use tostring() in Lua)`},
	} {
		_, problems := test.field.Normalize(test.value)
		if got := problems.Error(); got != test.want {
			t.Errorf("%v: got %q, want %q", test.value, got, test.want)
		}
	}
	for _, format := range action.Formats() {
		for _, text := range []string{"123456789", "https://123456789@%zz", "123456789@123456789 ", "2026-13-12345", long, "1234567890123456789012345678901234567890123456789012345678901234567890@example.com"} {
			f := field(action.Field{Format: format})
			_, problems := f.Normalize(text)
			if got, want := problems.Error(), `"key" is not a valid `+format+` (its text is not shown)`; len(problems) > 0 && got != want {
				t.Errorf("%s of %q: got %q, want %q", format, text, got, want)
			}
		}
	}
}
