// Package world gives fake answers to the modules http and net, from a document.
//
// world.go describes the document; http.go and net.go read the answers of a module and
// give them.
package world

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// A World answers http and net instead of the network. It is made of a document:
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
// Each call gets the next answer of the list; the last answer is repeated. A call that
// has no answer is refused, and the error says which lines to add.
//
// An http answer has status (200 when absent), headers, and body or json. For a request
// that gets no answer it has an error: "timeout" means that the request was sent, and any
// other text that no connection could be made. A request is looked up by its method and
// URL, first with the query in any order, and then without the query.
//
// The answer of a port is open, closed, timeout or {open: false, reason: TEXT}.
// {not_after: TIME} is an open port with a certificate; with a reason the certificate is
// invalid. The answer of a name is a list of addresses; in a list of answers, each is a
// list of addresses or "not found".
//
// A World is safe for concurrent use.
type World struct {
	http queues[httpAnswer]
	port queues[portAnswer]
	name queues[nameAnswer]
}

// Keys are the keys of the document.
var Keys = []string{"http", "net"}

// New makes a world of a decoded document; nil is an empty document. Its error is
// [action.Problems] and lists every mistake.
func New(o action.Object) (*World, error) {
	r := &reader{}
	w := &World{
		http: queues[httpAnswer]{answers: map[string][]httpAnswer{}},
		port: queues[portAnswer]{answers: map[string][]portAnswer{}},
		name: queues[nameAnswer]{answers: map[string][]nameAnswer{}},
	}
	r.fields("the world", "", o, Keys...)
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

// queues holds the remaining answers by request.
type queues[T any] struct {
	mu      sync.Mutex
	answers map[string][]T
}

// next removes and returns the next answer. It does not remove the last answer.
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

// add reads the answers of an entry. what names the entry in a problem.
func (q *queues[T]) add(r *reader, e entry, what, key string, split func(entry) []entry, read func(entry) T) {
	if q.answers[key] != nil {
		r.problem(e.path, "", "the %s is listed twice", what)
		return
	}
	for _, item := range split(e) {
		q.answers[key] = append(q.answers[key], read(item))
	}
}

// errNoAnswer refuses a call that has no answer, and says what to add.
func errNoAnswer(call, module, key, answer string) error {
	return &action.Error{
		Kind: action.Permission, Final: true,
		Message: "a simulated run is offline and the world has no answer for " + call,
		Hint:    fmt.Sprintf("add to the world file: %s: {%q: %s}", module, key, answer),
	}
}

// A reader reads the document and collects its problems.
type reader struct{ problems action.Problems }

// An entry is one key of http or net with its value.
type entry struct {
	key   string
	value any
	path  string // as in `net["db.example.com:5432"]`
}

func (r *reader) problem(path, hint, format string, args ...any) {
	r.problems = append(r.problems, action.Problem{
		Rule: action.RuleBadInput, Path: path, Message: path + ": " + fmt.Sprintf(format, args...), Hint: hint,
	})
}

// entries returns the entries of a section, sorted by key.
func (r *reader) entries(section string, v any) []entry {
	o, ok := v.(action.Object)
	if !ok && v != nil {
		r.problem(section, "", "must be an object")
	}
	entries := make([]entry, 0, len(o))
	for _, key := range phrase.Names(o) {
		entries = append(entries, entry{key: key, value: o[key], path: fmt.Sprintf("%s[%q]", section, key)})
	}
	return entries
}

// fields reports the unknown fields of an object.
func (r *reader) fields(what, path string, o action.Object, known ...string) {
	for _, name := range phrase.Names(o) {
		if slices.Contains(known, name) {
			continue
		}
		hint := phrase.DidYouMean(name, known)
		if hint == "" {
			hint = "known: " + strings.Join(known, ", ")
		}
		at := strings.TrimPrefix(path+"."+name, ".")
		r.problems = append(r.problems, action.Problem{
			Rule: action.RuleUnknownInput, Path: at, Message: fmt.Sprintf("%s: unknown field %q of %s", at, name, what), Hint: hint,
		})
	}
}

// sequence returns the answers of an entry, each with its path. A list is many answers,
// any other value is one.
func (r *reader) sequence(e entry) []entry {
	list, ok := e.value.([]any)
	if !ok {
		return []entry{e}
	}
	if len(list) == 0 {
		r.problem(e.path, "", "the list of answers is empty")
	}
	entries := make([]entry, len(list))
	for i, item := range list {
		entries[i] = entry{key: e.key, value: item, path: fmt.Sprintf("%s[%d]", e.path, i+1)}
	}
	return entries
}

// text returns a field that must be text, or "" when it is absent.
func (r *reader) text(path string, o action.Object, name string) string {
	text, ok := o[name].(string)
	if !ok && o[name] != nil {
		r.problem(path+"."+name, "", "must be text")
	}
	return text
}
