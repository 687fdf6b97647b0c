// Package world answers the modules http and net without a network, from a document.
package world

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
)

// A World answers http and net under --simulate. It is made of a document:
//
//	http:
//	  "GET https://api.example.com/health":      # one answer, or a list of them
//	    - {status: 503}
//	    - {status: 200, headers: {x-node: a}, body: "fine"}
//	  "POST https://hooks.example.com/post": {json: {id: 7}}
//	  "GET https://down.example.com/": {error: connection refused}
//	net:
//	  "db.example.com:5432": [closed, open]      # net.check_port
//	  "slow.example.com:22": {open: false, reason: unreachable}
//	  "www.example.com:443": {not_after: 2027-01-31T00:00:00Z} # net.tls_expiry
//	  "db.example.com": ["10.0.0.1", "10.0.0.2"] # net.lookup
//	  "new.example.com": ["not found", ["10.0.0.3"]]
//
// Each call takes the next answer of the list; the last one stays. What has no
// answer is refused, with the lines to add.
//
// An http answer has status (200 when absent), headers, and body or json; or an
// error, for a request that gets no answer: "timeout" means that it was sent, and
// anything else that no connection could be made. A request is found by its
// method and URL with the query, in whatever order that is, and then without it.
//
// The answer of a port is open, closed, timeout or {open: false, reason: TEXT}.
// {not_after: TIME} is an open port with a certificate, which a reason makes
// invalid. A list of texts is the addresses of a name; as a list of answers, each
// is such a list or "not found".
//
// A World is safe for concurrent use.
type World struct {
	http queues[httpAnswer]
	port queues[portAnswer]
	name queues[nameAnswer]
}

// New makes a world of a decoded document; nil is an empty one. Its error is
// [action.Problems] and lists every mistake.
func New(o action.Object) (*World, error) {
	r := &worldReader{}
	w := &World{
		http: queues[httpAnswer]{answers: map[string][]httpAnswer{}},
		port: queues[portAnswer]{answers: map[string][]portAnswer{}},
		name: queues[nameAnswer]{answers: map[string][]nameAnswer{}},
	}
	r.fields("the world", "", o, "http", "net")
	for _, entry := range r.entries("http", o["http"]) {
		readHTTPEntry(r, w, entry)
	}
	for _, entry := range r.entries("net", o["net"]) {
		readNetEntry(r, w, entry)
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return w, nil
}

// queues holds the answers that are left, by what is asked for.
type queues[T any] struct {
	mu      sync.Mutex
	answers map[string][]T
}

// next takes the next answer; the last one stays.
func (q *queues[T]) next(key string) (answer T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.answers[key]
	if len(left) == 0 {
		return answer, false
	}
	if len(left) > 1 {
		q.answers[key] = left[1:]
	}
	return left[0], true
}

// errNoAnswer refuses a call before anything is done, and says what to add.
func errNoAnswer(call, module, key, answer string) error {
	return &action.Error{
		Kind:    action.Permission,
		Message: "--simulate is offline and the world has no answer for " + call,
		Hint:    fmt.Sprintf("add to the world file: %s: {%q: %s}", module, key, answer),
	}
}

// A worldReader reads the document and collects what is wrong with it.
type worldReader struct{ problems action.Problems }

// A worldEntry is one key of http or net with its value.
type worldEntry struct {
	key   string
	value any
	path  string // as in `net["db.example.com:5432"]`
}

func (r *worldReader) problem(path, hint, format string, args ...any) {
	r.problems = append(r.problems, action.Problem{
		Rule: action.RuleBadInput, Path: path, Message: path + ": " + fmt.Sprintf(format, args...), Hint: hint,
	})
}

// entries returns the entries of a section, sorted by key.
func (r *worldReader) entries(section string, v any) []worldEntry {
	o, ok := v.(action.Object)
	if !ok && v != nil {
		r.problem(section, "", "must be an object")
	}
	entries := make([]worldEntry, 0, len(o))
	for _, key := range action.SortedNames(o) {
		entries = append(entries, worldEntry{key: key, value: o[key], path: fmt.Sprintf("%s[%q]", section, key)})
	}
	return entries
}

// fields reports the fields of an object that are not known.
func (r *worldReader) fields(what, path string, o action.Object, known ...string) {
	for _, name := range action.SortedNames(o) {
		if slices.Contains(known, name) {
			continue
		}
		hint := action.DidYouMean(name, known)
		if hint == "" {
			hint = "known: " + strings.Join(known, ", ")
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		r.problems = append(r.problems, action.Problem{
			Rule: action.RuleUnknownInput, Path: at, Message: fmt.Sprintf("%s: unknown field %q of %s", at, name, what), Hint: hint,
		})
	}
}

// sequence returns the answers of an entry, each with its place: a list is many,
// anything else is one.
func (r *worldReader) sequence(e worldEntry) []worldEntry {
	list, ok := e.value.([]any)
	if !ok {
		return []worldEntry{e}
	}
	if len(list) == 0 {
		r.problem(e.path, "", "the list of answers is empty")
	}
	entries := make([]worldEntry, len(list))
	for i, item := range list {
		entries[i] = worldEntry{key: e.key, value: item, path: fmt.Sprintf("%s[%d]", e.path, i+1)}
	}
	return entries
}

// text returns a field that must be text, where it is given.
func (r *worldReader) text(path string, o action.Object, name string) string {
	text, ok := o[name].(string)
	if !ok && o[name] != nil {
		r.problem(path+"."+name, "", "must be text")
	}
	return text
}
