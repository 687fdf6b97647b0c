package client

import (
	"context"
	"runtime"
	"strings"
	"testing"
)

// TestA28LargeLists: a list takes no more memory than its bound, however large the server
// makes it, and the error says so.
func TestA28LargeLists(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector makes megabytes slow, and nothing is shared here")
	}
	page := func(entry string, n int) answer {
		return ok(`{"users":[` + strings.Repeat(entry+",", n-1) + entry + `],"limit":100,"more":true}`)
	}
	named := func(size int) string { return `{"id":"P1","name":"` + strings.Repeat("n", size) + `"}` }
	for name, test := range map[string]struct {
		answer answer
		want   string // a part of the error; empty: it is listed
	}{
		"10,000 users of 1 KB":     {page(named(1000), 100), ""},
		"pages of 1 MB":            {page(named(10_000), 100), "listed more than 32 MB"},
		"pages of 3.9 MB":          {page(named(39_000), 100), "listed more than 32 MB"},
		"a page of 8 MB":           {page(named(80_000), 100), "has more than 4 MB"},
		"a page of a million":      {page(`{}`, 1_000_000), "more entries than were asked for"},
		"a page of a million null": {page(`null`, 800_000), "more entries than were asked for"},
		"deep":                     {ok(`{"users":` + strings.Repeat("[", 2_000_000) + `}`), "not valid JSON"},
		"a list that is an object": {ok(`{"users":{"id":"P1"}}`), "not valid JSON"},
		"no list":                  {ok(`{"users":null}`), "lacks the data"},
	} {
		c, s, _ := serve(t, V1, test.answer)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, _, err := listing[User]{op: "list users", path: "/users", name: "users", policy: reads}.read(context.Background(), c, MaxListed)
		runtime.ReadMemStats(&after)
		switch {
		case test.want == "" && (err != nil || len(got) != MaxListed):
			t.Errorf("%s: got %d users and %v, want %d", name, len(got), err, MaxListed)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 300):
			t.Errorf("%s: got %.400v after %d requests, want %q", name, err, s.tries(), test.want)
		}
		// What was allocated in all, also if it is free again.
		if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; allocated > 500 {
			t.Errorf("%s: %d MB were allocated, want at most 500", name, allocated)
		}
	}
}
