package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pdjsVersion is the version of @pagerduty/pdjs that is installed for the test.
const pdjsVersion = "2.2.4"

// pdjsScript creates a user, reads all users over several pages, and sends an event. The
// client always connects to PagerDuty's host names. The script redirects these connections to
// the simulator, which has a certificate for the names.
const pdjsScript = `
const net = require('net');
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (/[.]pagerduty[.]com$/.test(options.host)) {
    [options.host, options.port] = process.env.SERVER.split(':');
  }
  return connect.apply(this, args);
};
const {api, event} = require('@pagerduty/pdjs');
(async () => {
  const pd = api({token: process.env.TOKEN});
  const made = await pd.post('/users', {data: {user: {type: 'user', name: 'Node', email: 'node@example.com'}}});
  const all = await pd.all('/users', {data: {limit: 2}});
  const sent = await event({data: {routing_key: process.env.KEY, event_action: 'trigger', dedup_key: 'node', payload: {summary: 'from node', source: 'node', severity: 'error'}}});
  const none = await pd.get('/users/PNOBODY');
  console.log([made.resource.email, all.resource.length, sent.response.status, none.response.status].join(' '));
})().catch(e => { console.error(e); process.exit(1); });
`

// TestNode uses PagerDuty's client for Node, over TLS.
func TestNode(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed here: PagerDuty's client for Node is not tested", program)
		}
	}
	folder := t.TempDir()
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--silent", "@pagerduty/pdjs@"+pdjsVersion)
	install.Dir = folder
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("@pagerduty/pdjs cannot be installed here: %v\n%s", err, out)
	}
	a := newSecureAccount(t, "api.pagerduty.com", eventsHost)
	if err := os.WriteFile(filepath.Join(folder, "drive.js"), []byte(pdjsScript), 0o600); err != nil {
		t.Fatal(err)
	}
	drive := exec.Command("node", "drive.js")
	drive.Dir = folder
	drive.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+a.caFile, "SERVER="+a.address, "TOKEN="+apiKey, "KEY="+serviceKey)
	out, err := drive.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := strings.TrimSpace(string(out)), "node@example.com 4 202 404"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := a.only(t); got.Key != "node" {
		t.Errorf("got the incident %+v", got)
	}
}
