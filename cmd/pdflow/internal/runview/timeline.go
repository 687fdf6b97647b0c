package runview

import (
	"fmt"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
)

// A for_each with more than mostItems items has rows for the items that have not succeeded. An attempt
// with more than mostCalls calls has rows for the first and the last calls.
const (
	mostItems = 10
	mostCalls = 20
)

// A row is a line of a timeline: something that took a span of time.
type row struct {
	depth    int
	status   run.Status
	label    string
	from, to time.Time // zero: it never started, or has not ended
	state    string    // why it never started
	note     string    // below the line
}

// telling reports whether an item has a row in a long list.
func (t *taskHistory) telling() bool {
	status := t.status()
	return status != run.Success && status != run.Skipped
}

// failureText returns a failure in one paragraph.
func failureText(f *run.Failure) string {
	if f == nil {
		return ""
	}
	text := string(f.Kind) + ": " + f.Error()
	if f.File != "" && f.Line > 0 {
		text += fmt.Sprintf(" (%s:%d)", f.File, f.Line)
	}
	return text
}

// timeline returns the steps of a run with their attempts, items and calls. Each has a row with its
// start, its duration and a bar.
func (v *View) timeline(width int) string {
	d := drawing{axis: v.axis(), startedAt: v.history.startedAt, width: width, page: v.page}
	return d.draw(v.rows())
}

// rows returns the rows of the steps in the order of the file.
func (v *View) rows() []row {
	var rows []row
	id := 0
	for _, step := range v.history.steps {
		id = max(id, len(step.id))
	}
	for _, step := range v.history.steps {
		if step.listed() {
			rows = append(rows, v.stepRow(step, id))
			rows = append(rows, v.taskRows(1, &step.taskHistory)...)
			rows = append(rows, v.itemRows(step)...)
		}
	}
	return rows
}

func (v *View) stepRow(step *stepHistory, id int) row {
	status, state, note := v.history.state(step, v.now)
	from, to := step.span()
	r := v.row(0, status, fmt.Sprintf("%-*s  %s", id, step.id, step.what), from, to)
	if step.expanded {
		r.label += "  " + step.counts()
	}
	if from.IsZero() || status == run.Skipped {
		r.state = state
		if note != "" {
			r.state += ", " + note
		}
	}
	if len(step.attempts) == 1 && !step.expanded {
		r.note = failureText(step.last().failure)
	}
	return r
}

// row returns a row of something that may have been interrupted.
func (v *View) row(depth int, status run.Status, label string, from, to time.Time) row {
	switch {
	case !from.IsZero() && to.IsZero() && v.live():
		to = v.now
	case status == run.Running:
		status = run.Interrupted
		label += "  interrupted"
	}
	return row{depth: depth, status: status, label: label, from: from, to: to}
}

// live reports whether a process works on the run.
func (v *View) live() bool { return v.Summary.Live && !v.history.ended }

// taskRows returns the rows of the calls of a task, below rows of its attempts if it made several.
func (v *View) taskRows(depth int, t *taskHistory) []row {
	var rows []row
	for _, a := range t.attempts {
		below := depth
		if len(t.attempts) > 1 {
			status := a.status
			if a.ended.IsZero() {
				status = run.Running
			}
			r := v.row(depth, status, fmt.Sprintf("attempt %d", a.number), a.startedAt, a.ended)
			r.note = failureText(a.failure)
			rows = append(rows, r)
			below++
		}
		rows = append(rows, v.callRows(below, a)...)
	}
	return rows
}

// itemRows returns the rows of the items of a for_each.
func (v *View) itemRows(step *stepHistory) []row {
	var rows []row
	shown, left := 0, 0
	for i, item := range step.items {
		if item == nil || len(step.items) > mostItems && !item.telling() {
			continue
		}
		if shown++; shown > mostItems {
			left++
			continue
		}
		from, to := item.span()
		r := v.row(1, item.status(), fmt.Sprintf("item %d", i+1), from, to)
		if len(item.attempts) == 1 {
			r.note = failureText(item.last().failure)
		}
		rows = append(rows, r)
		rows = append(rows, v.taskRows(2, item)...)
	}
	if left > 0 {
		rows = append(rows, row{depth: 1, label: fmt.Sprintf("… and %s like these", console.Plural(left, "item"))})
	}
	return rows
}

// callRows returns the rows of the calls of an attempt.
func (v *View) callRows(depth int, a *attemptHistory) []row {
	var rows []row
	for i, c := range a.calls {
		switch last := len(a.calls) - mostCalls/2; {
		case len(a.calls) <= mostCalls || i < mostCalls/2 || i >= last:
			rows = append(rows, v.callRow(depth, c))
		case i == last-1:
			rows = append(rows, row{depth: depth, label: fmt.Sprintf("… %s", console.Plural(len(a.calls)-mostCalls, "call"))})
		}
	}
	return rows
}

func (v *View) callRow(depth int, c *callHistory) row {
	label := fmt.Sprintf("#%d %s", c.sequence, c.action)
	status := run.Success
	switch {
	case c.decision != "":
		label += "  decided: " + string(c.decision)
	case c.again:
		label += "  as before"
	case c.returned.IsZero() && v.live():
		status = run.Running
	case c.failure != nil && c.failure.Kind == action.UnknownOutcome, v.history.failure != nil && v.history.failure.Call == c.sequence:
		status, label = run.NeedsAttention, label+"  outcome unknown"
	case c.returned.IsZero():
		status, label = run.Interrupted, label+"  no result"
	case c.failure != nil:
		status, label = run.Failed, label+"  "+string(c.failure.Kind)
	}
	return v.row(depth, status, label, c.startedAt, c.returned)
}
