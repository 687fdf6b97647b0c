package reach_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/pdflow/pdflow/builtins/probe"
	"github.com/pdflow/pdflow/builtins/web"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// permitting is the context of a call that may reach these hosts.
func permitting(hosts ...string) context.Context {
	return action.WithScope(context.Background(), action.Scope{Permit: func(t action.Target) error {
		if slices.Contains(hosts, t.Host) {
			return nil
		}
		return &action.Error{Kind: action.Permission, Message: "the workflow may not reach " + t.String(), Hint: "add it"}
	}})
}

// TestConnectionsAreChecked checks that http and net connect through the check of
// addresses.
func TestConnectionsAreChecked(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	u, _ := url.Parse(server.URL)
	port, _ := strconv.Atoi(u.Port())
	ctx := permitting() // nothing: the target itself was permitted before, by a name
	err := probe.Internet{}.Connect(ctx, "127.0.0.1", port)
	actiontest.CheckError(t, "net", err, action.Permission, "127.0.0.1 leads to 127.0.0.1")
	_, err = actiontest.Call(web.Actions(web.NewTransport()), action.ScopeOf(ctx), "http.get", action.Object{"url": server.URL})
	actiontest.CheckError(t, "http", err, action.Permission, "this machine itself")
	if _, err = actiontest.Call(web.Actions(web.NewTransport()), action.ScopeOf(permitting("127.0.0.1")), "http.get", action.Object{"url": server.URL}); err != nil {
		t.Errorf("http to a listed address: got %v, want none", err)
	}
}
