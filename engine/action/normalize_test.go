package action_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

type link struct {
	Href string `json:"href" required:"true" doc:"Where it leads."`
	Text string `json:"text" doc:"What it says."`
}

type shared struct {
	Note string `json:"note" doc:"A field of an embedded struct."`
}

type everything struct {
	Name    string            `json:"name" required:"true" min:"2" max:"5" doc:"A name."`
	Role    string            `json:"role" enum:"admin,user" default:"user" doc:"A role."`
	Email   string            `json:"email" format:"email" doc:"An address."`
	Count   int               `json:"count" doc:"A whole number."`
	Ratio   float64           `json:"ratio" doc:"A number."`
	On      bool              `json:"on" doc:"Yes or no."`
	Wait    time.Duration     `json:"wait" default:"5s" doc:"A duration."`
	Tags    []string          `json:"tags" doc:"A list."`
	Links   []link            `json:"links" doc:"A list of objects."`
	Details action.Object     `json:"details" doc:"Anything."`
	Any     any               `json:"any" secrets:"true" doc:"Anything, with secrets."`
	Key     action.Credential `json:"key" doc:"A key."`
	Hidden  string            `json:"-"`
	shared
}

func echo() *action.Action {
	return action.New(action.Spec{Name: "test.echo", Summary: "Return the input.", Effect: action.Reads},
		func(_ context.Context, in everything) (everything, error) { return in, nil })
}

func TestNormalize(t *testing.T) {
	secret := action.Secret{Name: "S"}
	for _, test := range []struct {
		name string
		in   action.Object
		want action.Object // in addition to name, role and wait
		err  string        // a part of it
	}{
		{"defaults", action.Object{}, action.Object{}, ""},
		{"types", action.Object{"count": 3.0, "ratio": 0.5, "on": true, "tags": []any{"a"}, "note": "n"}, action.Object{"count": 3.0, "ratio": 0.5, "on": true, "tags": []any{"a"}, "note": "n"}, ""},
		{"null is absent", action.Object{"count": nil}, action.Object{}, ""},
		{"empty table as list", action.Object{"tags": action.Object{}}, action.Object{"tags": []any{}}, ""},
		{"empty list as object", action.Object{"details": []any{}}, action.Object{"details": action.Object{}}, ""},
		{"duration", action.Object{"wait": 90.0}, action.Object{"wait": "1m30s"}, ""},
		{"secret key", action.Object{"key": secret}, action.Object{"key": secret}, ""},
		{"secret inside", action.Object{"any": action.Object{"a": []any{secret}}}, action.Object{"any": action.Object{"a": []any{secret}}}, ""},
		{"not text", action.Object{"email": 5.0}, nil, `"email" must be a string, got number 5`},
		{"not whole", action.Object{"count": 1.5}, nil, `"count" must be a whole number, got number 1.5`},
		{"too large", action.Object{"count": 1e17}, nil, `"count" must be a whole number`},
		{"not boolean", action.Object{"on": "yes"}, nil, `"on" must be true or false, got string "yes" (write true)`},
		{"not a duration", action.Object{"wait": "soon"}, nil, `"wait" must be a duration`},
		{"negative", action.Object{"wait": -1.0}, nil, `"wait" must be a duration`},
		{"enum", action.Object{"role": "amdin"}, nil, `"role" cannot be "amdin" (did you mean "admin"?)`},
		{"long", action.Object{"name": "éééééé"}, nil, `"name" is 6 characters long, at most 5 are allowed`},
		{"short", action.Object{"name": "x"}, nil, `"name" is 1 characters long, at least 2 are needed`},
		{"format", action.Object{"email": "ann"}, nil, `"email" is not a valid email`},
		{"unknown", action.Object{"cuont": 1.0}, nil, `unknown input "cuont" (did you mean "count"?)`},
		{"nested", action.Object{"links": []any{action.Object{"href": "a"}, action.Object{"hrfe": "b"}}}, nil, `required input "links[2].href" is missing`},
		{"nested type", action.Object{"links": []any{"x"}}, nil, `"links[1]" must be an object, got string "x"`},
		{"secret text", action.Object{"email": secret}, nil, `"email" does not take a secret, got ‹secret S›`},
		{"secret in details", action.Object{"details": action.Object{"a": secret}}, nil, `"details.a" does not take a secret`},
		{"UTF-8", action.Object{"email": "\xff"}, nil, `"email" is not valid UTF-8 text`},
	} {
		if _, given := test.in["name"]; !given {
			test.in["name"] = "Ann"
		}
		invocation, err := echo().Prepare(test.in)
		if test.err != "" {
			typed := action.AsError(err)
			if err == nil || typed.Kind != action.InvalidInput || !strings.Contains(typed.Message+" ("+typed.Hint+") "+typed.Unwrap().Error(), test.err) {
				t.Errorf("%s: got %v, want %q", test.name, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		want := action.Object{"name": "Ann", "role": "user", "wait": "5s"}
		for name, v := range test.want {
			want[name] = v
		}
		if diff := cmp.Diff(want, invocation.Input); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestRoundTrip checks that a typed function gets the values of the input, and that the
// output has the values that it returns.
func TestRoundTrip(t *testing.T) {
	in := action.Object{
		"name": "Ann", "count": 2.0, "on": true, "wait": 2.0, "tags": []any{"a", "b"}, "links": []any{action.Object{"href": "x"}},
		"details": action.Object{"deep": []any{nil, 1.0}}, "any": "text", "note": "n",
	}
	invocation, err := echo().Prepare(in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := invocation.Do(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := action.Object{
		"name": "Ann", "role": "user", "email": "", "count": 2.0, "ratio": 0.0, "on": true, "wait": "2s", "tags": []any{"a", "b"},
		"links": []any{action.Object{"href": "x", "text": ""}}, "details": action.Object{"deep": []any{nil, 1.0}}, "any": "text", "key": "", "note": "n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCheckDynamic checks that a value which only the run knows is accepted.
func TestCheckDynamic(t *testing.T) {
	problems := echo().In.Check(action.Object{"name": action.Dynamic, "count": action.Dynamic, "links": []any{action.Dynamic}, "nope": action.Dynamic})
	if len(problems) != 1 || problems[0].Rule != action.RuleUnknownInput || problems[0].Name() != "nope" {
		t.Errorf("got %v, want the unknown input alone", problems)
	}
}

func FuzzDuration(f *testing.F) {
	for _, seed := range []string{"5s", "1d", "1d12h", "-5s", "99999d", "", "d", "1e9h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := action.DurationOf(text)
		if err == nil && d < 0 {
			t.Errorf("%q is read as %s", text, d)
		}
	})
}
