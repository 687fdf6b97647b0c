package action_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/engine/action"
)

// FuzzNormalize checks that no value makes the checks panic, that a canonical form stays the
// same when it is normalized again, and that a typed function gets it.
func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{
		`{"name": "Ann"}`,
		`{"name": "Ann", "count": 3, "wait": "1d12h", "tags": {}, "links": [{"href": "x"}], "details": [], "key": "text"}`,
		`{"name": "x", "nmae": 1, "role": "amdin", "links": [{"hrfe": null}, null, "x"]}`,
		`{"name": "Ann", "wait": 0.000000001, "ratio": 1e308, "any": {"$secret": "S", "deep": [[[null]]]}}`,
		`{"name": "Ann", "any": {"$secret": "S"}, "key": {"$secret": "K"}}`,
	} {
		f.Add([]byte(seed))
	}
	a := echo()
	f.Fuzz(func(t *testing.T, source []byte) {
		var decoded action.Object
		if json.Unmarshal(source, &decoded) != nil {
			return
		}
		in, _ := withSecrets(decoded).(action.Object)
		once, problems := a.In.Normalize(in)
		if len(problems) > 0 {
			for _, p := range problems {
				if p.Rule == "" || p.Message == "" {
					t.Errorf("got the problem %+v", p)
				}
			}
			return
		}
		twice, problems := a.In.Normalize(once)
		if diff := cmp.Diff(once, twice); diff != "" || problems != nil {
			t.Errorf("the canonical form changes: %v (-once +twice):\n%s", problems, diff)
		}
		call, err := a.Prepare(once)
		if err != nil {
			t.Fatal(err)
		}
		out, err := call.Do(t.Context(), nil)
		if err != nil || out["name"] != once["name"] || out["wait"] != once["wait"] {
			t.Errorf("got %v, %v, want %v", out, err, once)
		}
	})
}

// withSecrets turns {"$secret": NAME} into the secret.
func withSecrets(v any) any {
	switch v := v.(type) {
	case action.Object:
		if name, ok := v["$secret"].(string); ok && len(v) == 1 {
			return action.Secret{Name: name}
		}
		for name := range v {
			v[name] = withSecrets(v[name])
		}
	case []any:
		for i := range v {
			v[i] = withSecrets(v[i])
		}
	}
	return v
}
