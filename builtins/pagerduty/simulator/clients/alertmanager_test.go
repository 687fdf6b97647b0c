package clients

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"testing"
	"time"

	amcommon "github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/pagerduty"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/types"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
)

// eventsHost is the host to which Alertmanager sends events of version 1. It cannot be
// configured.
const eventsHost = "events.pagerduty.com"

// notifier returns a notifier of Alertmanager whose connections all reach the account.
func (a *listening) notifier(t *testing.T, c pagerduty.PagerdutyConfig) *pagerduty.Notifier {
	t.Helper()
	templates, err := template.FromGlobs(nil)
	if err != nil {
		t.Fatal(err)
	}
	if templates.ExternalURL, err = url.Parse("http://alertmanager.example.com"); err != nil {
		t.Fatal(err)
	}
	c.HTTPConfig = &config.HTTPClientConfig{TLSConfig: config.TLSConfig{CAFile: a.caFile}}
	c.Description, c.Client, c.ClientURL = pagerduty.DefaultPagerdutyConfig.Description, pagerduty.DefaultPagerdutyConfig.Client, pagerduty.DefaultPagerdutyConfig.ClientURL
	c.Source, c.Details = "alertmanager", pagerduty.DefaultPagerdutyDetails
	n, err := pagerduty.New(&c, templates, slog.New(slog.DiscardHandler), config.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, a.address)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func alert(ends time.Time) *types.Alert {
	return &types.Alert{Alert: model.Alert{
		Labels: model.LabelSet{"alertname": "DiskFull", "instance": "db1"}, StartsAt: time.Now().Add(-time.Hour), EndsAt: ends,
	}}
}

// TestAlertmanager fires an alert twice and resolves it, through both versions of the
// Events API.
func TestAlertmanager(t *testing.T) {
	for name, c := range map[string]pagerduty.PagerdutyConfig{
		"v1": {ServiceKey: serviceKey},
		"v2": {RoutingKey: serviceKey, URL: &amcommon.URL{URL: &url.URL{Scheme: "https", Host: eventsHost, Path: "/v2/enqueue"}}, Severity: "critical"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newSecureAccount(t, eventsHost)
			n := a.notifier(t, c)
			ctx := notify.WithGroupKey(context.Background(), "group 1")
			ctx = notify.WithGroupLabels(ctx, model.LabelSet{"alertname": "DiskFull"})
			ctx = notify.WithReceiverName(ctx, "ops")
			for _, step := range []struct {
				alert *types.Alert
				want  account.Status
			}{
				{alert(time.Time{}), "triggered"},
				{alert(time.Time{}), "triggered"},
				{alert(time.Now().Add(-time.Minute)), "resolved"},
			} {
				if retry, err := n.Notify(ctx, step.alert); err != nil || retry {
					t.Fatalf("got retry %v, %v", retry, err)
				}
				if got := a.only(t); got.Status != step.want {
					t.Errorf("got %s, want %s", got.Status, step.want)
				}
			}
		})
	}
}

// TestAlertmanagerRetries: Alertmanager retries an event that the simulator's limit refuses,
// and does not retry one with an unknown key.
func TestAlertmanagerRetries(t *testing.T) {
	a := newSecureAccount(t, eventsHost)
	ctx := notify.WithGroupKey(context.Background(), "group 1")
	n := a.notifier(t, pagerduty.PagerdutyConfig{ServiceKey: serviceKey})
	a.SetFaults(fault.Plan{Faults: []fault.Fault{{Do: fault.RateLimited}}})
	if retry, err := n.Notify(ctx, alert(time.Time{})); !retry || err == nil {
		t.Errorf("a limit: got retry %v, %v, want one", retry, err)
	}
	a.SetFaults(fault.Plan{})
	stranger := a.notifier(t, pagerduty.PagerdutyConfig{ServiceKey: "00000000000000000000000000000000"})
	if retry, err := stranger.Notify(ctx, alert(time.Time{})); retry || err == nil {
		t.Errorf("an unknown key: got retry %v, %v, want a refusal", retry, err)
	}
}
