package killtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// leaver is the id of a user that a scenario deletes.
const leaver = "PLEAVER"

// servers are what one run reaches: a simulated PagerDuty and another service, at one address. They keep
// running when processes of the run are killed, and count the requests. They can lose answers after the
// request was carried out.
type servers struct {
	*simulator.Simulator
	scenario  *scenario
	firstLoss loss // how the first answer to each write is lost
	server    *httptest.Server

	mu      sync.Mutex
	change  *sync.Cond          // a connection was accepted or closed
	open    int                 // connections
	newest  string              // the client's address of the connection that was accepted last
	seen    map[string]int      // requests, by method and path
	writes  map[string]int      // by method, path and body
	keys    map[string][]string // the keys of triggers, by description, without repetition
	created map[string]int      // users, by address
	deleted map[string]int      // users, by address where they were created here, else by id
	address map[string]string   // of the created users, by id
	load    int                 // the number of reads
}

// A loss is how an answer is lost.
type loss int

const (
	delivered loss = iota
	reset          // the connection breaks before it
	truncated      // the connection breaks in the middle of it
	withheld       // it never comes
)

// String names the loss.
func (l loss) String() string { return [...]string{"delivered", "reset", "truncated", "withheld"}[l] }

func newServers(s *scenario, firstLoss loss) *servers {
	t := &servers{
		Simulator: simulator.New(simulator.WithUser(account.User{ID: leaver, Name: "Lee Leaver", Email: "lee@example.com"})),
		scenario:  s, firstLoss: firstLoss,
		seen: map[string]int{}, writes: map[string]int{}, keys: map[string][]string{},
		created: map[string]int{}, deleted: map[string]int{}, address: map[string]string{},
	}
	t.change = sync.NewCond(&t.mu)
	t.server = httptest.NewUnstartedServer(t)
	t.server.Config.ConnState = t.connection
	t.server.Start()
	return t
}

// connection counts the open connections.
func (t *servers) connection(c net.Conn, state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch state {
	case http.StateNew:
		t.open++
		t.newest = c.RemoteAddr().String()
	case http.StateClosed, http.StateHijacked:
		t.open--
	}
	t.change.Broadcast()
}

// waitIdle waits until all connections of ended processes are closed. Then all their requests were carried
// out.
//
// The kernel accepts a connection, and a request on it, before the server does. Connections are served in
// the order in which they were opened, so one more tells when the server has seen all of them.
func (t *servers) waitIdle() error {
	last, err := net.Dial("tcp", t.server.Listener.Addr().String())
	if err != nil {
		return err
	}
	_ = last.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.newest != last.LocalAddr().String() || t.open > 0 {
		t.change.Wait()
	}
	return nil
}

// ServeHTTP carries out a request, and then answers it or loses the answer.
func (t *servers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client was killed while it wrote the request
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	switch {
	case isService(r.URL.Path):
		t.serve(answer, r)
	default:
		t.Simulator.ServeHTTP(answer, r)
	}
	deliver(w, r, answer, t.note(r, body, answer))
}

// isService reports whether a path belongs to the service and not to PagerDuty.
func isService(place string) bool {
	for _, own := range []string{"/flaky", "/load", "/order", "/note"} {
		if strings.HasPrefix(place, own) {
			return true
		}
	}
	return false
}

// serve answers as the service. /load returns another number each time.
func (t *servers) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/load" {
		_, _ = io.WriteString(w, "ok")
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.load++
	fmt.Fprint(w, t.load)
}

// note counts a request that was carried out, and decides how its answer is lost.
func (t *servers) note(r *http.Request, body []byte, answer *httptest.ResponseRecorder) loss {
	t.mu.Lock()
	defer t.mu.Unlock()
	place := r.Method + " " + r.URL.Path
	t.seen[place]++
	switch {
	case answer.Code > 299 || r.Method == http.MethodGet:
	case r.Method == http.MethodDelete:
		id := path.Base(r.URL.Path)
		t.deleted[cmp.Or(t.address[id], id)]++
	case r.URL.Path == "/users":
		t.noteUser(answer.Body.Bytes())
	case !isService(r.URL.Path):
		t.noteEvent(body)
	}
	if t.scenario.losses != nil {
		return t.scenario.losses(r.Method, r.URL.Path, t.seen[place])
	}
	if r.Method == http.MethodGet {
		return delivered
	}
	if t.writes[place+string(body)]++; t.writes[place+string(body)] > 1 {
		return delivered
	}
	return t.firstLoss
}

func (t *servers) noteUser(answer []byte) {
	var made struct{ User struct{ ID, Email string } }
	if json.Unmarshal(answer, &made) == nil {
		t.created[made.User.Email]++
		t.address[made.User.ID] = made.User.Email
	}
}

func (t *servers) noteEvent(body []byte) {
	var sent struct {
		EventType   string `json:"event_type"`
		IncidentKey string `json:"incident_key"`
		Description string `json:"description"`
	}
	if json.Unmarshal(body, &sent) != nil || sent.EventType != "trigger" {
		return
	}
	if keys := t.keys[sent.Description]; !slices.Contains(keys, sent.IncidentKey) {
		t.keys[sent.Description] = append(keys, sent.IncidentKey)
	}
}

// count returns the number of requests with a method and path.
func (t *servers) count(method, place string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen[method+" "+place]
}

// record returns what was done so far: the keys of the pages by description, and the users that were created
// and deleted.
func (t *servers) record() (pages map[string][]string, created, deleted map[string]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.keys), maps.Clone(t.created), maps.Clone(t.deleted)
}

// deliver sends an answer or loses it.
func deliver(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder, how loss) {
	switch how {
	case delivered:
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	case withheld:
		<-r.Context().Done()
	default:
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err) // a test server supports it
		}
		if how == truncated {
			fmt.Fprintf(connection, "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{", answer.Code)
		} else if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset instead of an orderly end
		}
		_ = connection.Close()
	}
}
