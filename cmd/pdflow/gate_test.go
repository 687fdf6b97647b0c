package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A gate is a server that holds requests to /held until it is opened, so that a script can act while a
// program waits. It answers other requests at once, and counts all requests.
type gate struct {
	server *httptest.Server
	held   chan struct{} // one for each request that is held
	open   chan struct{} // closed when the gate is opened

	mu   sync.Mutex
	seen map[string]int // requests by method and path
}

func newGate() *gate {
	g := &gate{held: make(chan struct{}, 100), open: make(chan struct{}), seen: map[string]int{}}
	g.server = httptest.NewServer(g)
	return g
}

// ServeHTTP answers one request. The answer has the Authorization header of the request, to test that secrets
// in answers are masked.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.seen[r.Method+" "+r.URL.Path]++
	opened := g.open
	g.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/held") {
		select {
		case <-opened:
		default:
			g.held <- struct{}{}
			select {
			case <-opened:
			case <-r.Context().Done():
				return
			}
		}
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/forms"):
		echoForms(w, r, http.StatusOK)
	case strings.HasPrefix(r.URL.Path, "/redirect"):
		http.Redirect(w, r, "https://elsewhere.example.com"+r.URL.Path, http.StatusFound)
	case strings.HasPrefix(r.URL.Path, "/refuse"):
		echoForms(w, r, http.StatusBadRequest)
	default:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"authorization": %q}`, r.Header.Get("Authorization"))
	}
}

// echoForms answers with the key of the request in every form, in the body, in the name of a header and in
// headers. A refusal is one of PagerDuty.
func echoForms(w http.ResponseWriter, r *http.Request, status int) {
	key := credentialOf(r)
	w.Header().Set(key, "the name is the key")
	w.Header().Set("X-Request-Id", base64.StdEncoding.EncodeToString([]byte("id "+key)))
	w.Header().Set("Location", "https://elsewhere.example.com/"+url.PathEscape(key)+"?k="+url.QueryEscape(key))
	var texts []string
	for name, form := range formsOf(key) {
		texts = append(texts, name+": "+form)
	}
	slices.Sort(texts)
	if status == http.StatusOK {
		fmt.Fprint(w, strings.Join(texts, "\n"))
		return
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": "not you, " + key, "errors": texts}})
}

// credentialOf returns the key that a request has in a header, in its query or in its body.
func credentialOf(r *http.Request) string {
	authorization := r.Header.Get("Authorization")
	for _, scheme := range []string{"Bearer ", "Token token="} {
		if key, ok := strings.CutPrefix(authorization, scheme); ok {
			return key
		}
	}
	var event struct {
		Key string `json:"service_key"`
	}
	_ = json.NewDecoder(r.Body).Decode(&event)
	if strings.HasPrefix(r.URL.Path, "/forms/") {
		return cmp.Or(event.Key, path.Base(r.URL.Path))
	}
	return cmp.Or(event.Key, "nothing")
}

func (g *gate) close() {
	g.server.CloseClientConnections()
	g.server.Close()
}

// gateTimeout is how long a script waits for a request that must come.
const gateTimeout = 30 * time.Second

// gates are the gates of the scripts, by their working folders.
var gates sync.Map

// cmdGate starts a gate for the rest of the script, or controls it:
//
//	gate                   start one; its address is $GATE
//	gate wait              wait until a request is held
//	gate open              answer held and later requests
//	gate shut              hold requests again
//	gate seen N METHOD /P  there were N such requests
func cmdGate(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: gate [wait|open|shut|seen N METHOD PATH]")
	}
	if len(args) == 0 {
		g := newGate()
		ts.Defer(g.close)
		gates.Store(ts.Getenv("WORK"), g)
		ts.Setenv("GATE", g.server.URL)
		return
	}
	found, ok := gates.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("there is no gate: start one with `gate`")
	}
	g := found.(*gate)
	switch {
	case args[0] == "wait" && len(args) == 1:
		select {
		case <-g.held:
		case <-time.After(gateTimeout):
			ts.Fatalf("no request is held after %s", gateTimeout)
		}
	case args[0] == "open" && len(args) == 1:
		close(g.open)
	case args[0] == "shut" && len(args) == 1:
		g.mu.Lock()
		g.open = make(chan struct{})
		g.mu.Unlock()
	case args[0] == "seen" && len(args) == 4:
		g.mu.Lock()
		defer g.mu.Unlock()
		if got := g.seen[args[2]+" "+args[3]]; strconv.Itoa(got) != args[1] {
			ts.Fatalf("%s %s: got %d requests, want %s", args[2], args[3], got, args[1])
		}
	default:
		ts.Fatalf("usage: gate [wait|open|shut|seen N METHOD PATH]")
	}
}
