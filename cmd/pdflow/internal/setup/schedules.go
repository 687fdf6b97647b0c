package setup

import (
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/workflow"
)

// ScheduleOf is the schedule of an id; without one, the only one that there is.
func ScheduleOf(plan *workflow.Plan, id string) (workflow.Schedule, error) {
	schedules := plan.Workflow.Schedules
	var ids []string
	for _, s := range schedules {
		if s.Key() == id || id == "" && len(schedules) == 1 {
			return s, nil
		}
		ids = append(ids, s.Key())
	}
	if id == "" {
		return workflow.Schedule{}, console.Usage("%s has several schedules; say which with --schedule: %s", plan.Workflow.File, strings.Join(ids, ", "))
	}
	return workflow.Schedule{}, console.Usage("%s has no schedule %q (it has: %s)", plan.Workflow.File, id, strings.Join(ids, ", "))
}

// OrEnded is the pause to keep. One that is ended stays as what it was: an instant that
// was due in it must not be caught up, when nothing has looked since.
func OrEnded(pause, before *engine.Pause, now time.Time) *engine.Pause {
	if pause != nil || !before.Active(now) {
		return pause
	}
	ended := *before
	ended.Until = now.UTC()
	return &ended
}
