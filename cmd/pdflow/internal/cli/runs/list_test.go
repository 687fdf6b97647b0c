package runs

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

func TestListText(t *testing.T) {
	begun := time.Date(2026, 3, 29, 9, 0, 0, 0, time.UTC)
	unindented := func(text string) string { return strings.TrimPrefix(strings.ReplaceAll(text, "\n\t\t\t", "\n"), "\n") }
	now := begun.Add(10 * time.Minute)
	runs := []journal.Summary{
		{Run: "01M838X2C49BQ51PYP0AY6GBY9", Workflow: "onboard-responder", Status: run.Running, Live: true, StartedAt: now.Add(-90 * time.Second)},
		{Run: "01M838X2C49BQ51PYP0AY6GBY8", Workflow: "page", Status: run.NeedsAttention, StartedAt: now.Add(-26 * time.Hour)},
		{Run: "01M838X2C49BQ51PYP0AY6GBY7", Workflow: "page", Status: run.Success, StartedAt: begun, EndedAt: begun.Add(1500 * time.Millisecond)},
	}
	for _, test := range []struct {
		name string
		page console.Terminal
		want string
	}{
		{"piped", console.Terminal{}, `
			RUN                         WORKFLOW           STATUS           STARTED                              TOOK
			01M838X2C49BQ51PYP0AY6GBY9  onboard-responder  running          2026-03-29 09:08:30  1 minute ago    1m30s so far
			01M838X2C49BQ51PYP0AY6GBY8  page               needs_attention  2026-03-28 07:10:00  1 day ago       -
			01M838X2C49BQ51PYP0AY6GBY7  page               success          2026-03-29 09:00:00  10 minutes ago  1.5 s`},
		{"narrow", console.Terminal{Live: true, Fixed: [2]int{95, 24}}, `
			RUN                         WORKFLOW      STATUS           STARTED                TOOK
			01M838X2C49BQ51PYP0AY6GBY9  onboard-res…  running          2026-03-29 09:08:30    1m30s so far
			01M838X2C49BQ51PYP0AY6GBY8  page          needs_attention  2026-03-28 07:10:00    -
			01M838X2C49BQ51PYP0AY6GBY7  page          success          2026-03-29 09:00:00    1.5 s`},
	} {
		if diff := cmp.Diff(unindented(test.want), strings.TrimSuffix(listText(runs, now, test.page), "\n")); diff != "" {
			t.Errorf("%s: the list differs (-want +got):\n%s", test.name, diff)
		}
	}
}
