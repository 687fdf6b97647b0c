package world

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/pdflow/pdflow/builtins/probe"
	"github.com/pdflow/pdflow/builtins/reach"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// portAnswer is one answer of a port; err says why the port is closed.
type portAnswer struct {
	err         error
	certificate *probe.Certificate // nil when the world has none
}

// nameAnswer is one answer of a name server. Without addresses the name was not found.
type nameAnswer struct{ addresses []string }

// portWords are the answers of a port that are one word.
var portWords = map[string]error{
	"open":    nil,
	"closed":  syscall.ECONNREFUSED,
	"timeout": os.ErrDeadlineExceeded,
}

const notFound = "not found"

func readNetEntry(r *reader, w *World, e entry) {
	host, portText, err := net.SplitHostPort(e.key)
	if err != nil { // no port
		readNameEntry(r, w, e)
		return
	}
	port, err := strconv.Atoi(portText)
	if err != nil || reach.CheckPort(port) != nil || reach.CheckHost(host) != nil {
		r.problem(e.path, `write "db.example.com:5432" for a port, "db.example.com" for a look-up`, "is not a host and a port")
		return
	}
	w.port.add(r, e, "port", portKey(host, port), r.sequence, r.portAnswer)
}

// portKey returns a port in canonical form, as in the document.
func portKey(host string, port int) string {
	return net.JoinHostPort(action.CanonicalHost(host), strconv.Itoa(port))
}

func (r *reader) portAnswer(e entry) portAnswer {
	switch v := e.value.(type) {
	case string:
		err, known := portWords[v]
		if !known {
			hint := phrase.DidYouMean(v, phrase.Names(portWords))
			r.problem(e.path, hint, "%q is not open, closed or timeout", phrase.Clip(v, 40))
		}
		return portAnswer{err: err}
	case action.Object:
		return r.portObject(e, v)
	}
	r.problem(e.path, "", "must be open, closed, timeout, {open: false, reason: TEXT} or {not_after: TIME}")
	return portAnswer{}
}

func (r *reader) portObject(e entry, o action.Object) portAnswer {
	r.fields("the answer of a port", e.path, o, "open", "reason", "not_after")
	reason := r.text(e.path, o, "reason")
	if text := r.text(e.path, o, "not_after"); text != "" {
		notAfter, err := time.Parse(time.RFC3339, text)
		if err != nil {
			r.problem(e.path+".not_after", "", "%q is not a time such as 2027-01-31T00:00:00Z", phrase.Clip(text, 40))
		}
		if o["open"] == false {
			r.problem(e.path, "", "a port that is closed shows no certificate")
		}
		return portAnswer{certificate: &probe.Certificate{NotAfter: notAfter, Problem: reason}}
	}
	open, ok := o["open"].(bool)
	switch {
	case !ok:
		r.problem(e.path, "", "must have open: true or false, or not_after: TIME")
	case open:
		return portAnswer{}
	case reason == "":
		return portAnswer{err: syscall.ECONNREFUSED}
	}
	return portAnswer{err: errors.New(reason)}
}

func readNameEntry(r *reader, w *World, e entry) {
	if reach.CheckHost(e.key) != nil {
		r.problem(e.path, `write "db.example.com:5432" for a port, "db.example.com" for a look-up`, "is not a host name")
		return
	}
	w.name.add(r, e, "name", action.CanonicalHost(e.key), r.lookupSequence, r.nameAnswer)
}

// lookupSequence returns the answers of a name server. A list of addresses is one answer.
func (r *reader) lookupSequence(e entry) []entry {
	list, _ := e.value.([]any)
	for _, item := range list {
		if _, nested := item.([]any); nested || item == notFound {
			return r.sequence(e)
		}
	}
	return []entry{e}
}

func (r *reader) nameAnswer(e entry) nameAnswer {
	if e.value == notFound {
		return nameAnswer{}
	}
	list, ok := e.value.([]any)
	if !ok || len(list) == 0 {
		r.problem(e.path, "", `must be a list of addresses, or "not found"`)
	}
	var answer nameAnswer
	for _, item := range list {
		address, ok := item.(string)
		if !ok || action.CheckFormat("ip", address) != nil {
			r.problem(e.path, "", "%v is not an IP address", item)
		}
		answer.addresses = append(answer.addresses, address)
	}
	return answer
}

// Network returns the world as the network of the net module.
func (w *World) Network() probe.Network { return network{w} }

type network struct{ world *World }

func (n network) Connect(ctx context.Context, host string, port int) error {
	key := portKey(host, port)
	answer, ok := n.world.port.next(key)
	if !ok {
		return errNoAnswer("net.check_port "+key, "net", key, "open")
	}
	return cmp.Or(ctx.Err(), answer.err)
}

func (n network) LookupHost(ctx context.Context, host string) ([]string, error) {
	key := action.CanonicalHost(host)
	answer, ok := n.world.name.next(key)
	switch {
	case !ok:
		return nil, errNoAnswer("net.lookup "+key, "net", key, `["10.0.0.1"]`)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case len(answer.addresses) == 0:
		return nil, &net.DNSError{Err: notFound, Name: host, IsNotFound: true}
	}
	return answer.addresses, nil
}

func (n network) Certificate(ctx context.Context, host string, port int, at time.Time) (probe.Certificate, error) {
	key := portKey(host, port)
	answer, ok := n.world.port.next(key)
	if !ok || answer.err == nil && answer.certificate == nil {
		return probe.Certificate{}, errNoAnswer("net.tls_expiry "+key, "net", key, "{not_after: 2027-01-31T00:00:00Z}")
	}
	if err := cmp.Or(ctx.Err(), answer.err); err != nil {
		return probe.Certificate{}, err
	}
	certificate := *answer.certificate
	if certificate.Problem == "" && at.After(certificate.NotAfter) {
		certificate.Problem = "expired"
	}
	return certificate, nil
}
