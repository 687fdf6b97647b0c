package runview

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Sign returns the sign of a status, and its style. A word always says the same.
func Sign(status run.Status) (text, style string) {
	switch status {
	case run.Success:
		return "✓", console.StyleGreen
	case run.Failed, run.TimedOut:
		return "✗", console.StyleRed
	case run.Skipped, run.Cancelled:
		return "–", console.StyleDim
	case run.Running:
		return "●", console.StyleYellow
	case run.Queued:
		return "↻", console.StyleYellow
	case run.Suspended, run.NeedsAttention, run.Interrupted:
		return "?", console.StyleYellow
	}
	return "○", console.StyleDim
}

// listed reports whether the step has a line. Steps of on_failure and finally have one when they start.
func (s *stepHistory) listed() bool {
	return s.part() == workflow.Main || len(s.attempts) > 0
}

// text returns the line of a step: its sign, its id, its action and its state. On a terminal the line is
// cut to the width, because a line that wraps would be drawn over wrongly.
func (p *Progress) text(step *stepHistory) string {
	idWidth, whatWidth := p.widths()
	status, state, note := p.history.state(step, p.now())
	mark, style := Sign(status)
	line := fmt.Sprintf("%-*s  %-*s  %s", idWidth, step.id, whatWidth, step.what, state)
	if note != "" {
		line += "  " + console.Printable(note)
	}
	if p.terminal.Live {
		width, _ := p.terminal.Size()
		line = console.Cut(line, width-5) // two spaces, the sign, a space, and the last column free
	}
	return "  " + p.terminal.Style(style, mark) + " " + strings.TrimRight(line, " ") + "\n"
}

// widths returns the widths of the longest id and of the longest action.
func (p *Progress) widths() (id, what int) {
	for _, step := range p.history.steps {
		if step.listed() {
			id, what = max(id, len(step.id)), max(what, len(step.what))
		}
	}
	return id, what
}

// state returns the status of a step, its state in a word or two, and a note.
func (h *history) state(step *stepHistory, now time.Time) (status run.Status, state, note string) {
	status, note = step.status(), step.note(now)
	from, to := step.span()
	switch {
	case status == "" && h.ended && !h.suspended:
		return run.Skipped, "skipped", "not run"
	case status == "", status == run.Queued:
		return status, "waiting", note
	case status == run.Running && step.expanded:
		return status, step.counts() + running(now.Sub(from)), note
	case status == run.Running:
		return status, "running" + running(now.Sub(from)), note
	case status == run.Skipped:
		return status, "skipped", note
	case status == run.Suspended:
		return status, "undecided", note
	}
	return status, console.Took(to.Sub(from)), note
}

// running returns how long something has been running, if that is more than a second.
func running(d time.Duration) string {
	if d > time.Second {
		return " " + console.Took(d)
	}
	return ""
}

// counts returns how many items of a for_each are done and failed.
func (s *stepHistory) counts() string {
	text := fmt.Sprintf("%d/%d done", s.done, len(s.items))
	if s.failed > 0 {
		text += fmt.Sprintf(", %d failed", s.failed)
	}
	return text
}

// note returns the note of a step.
func (s *stepHistory) note(now time.Time) string {
	switch status := s.status(); {
	case status == "" && len(s.attempts) == 0:
		return ""
	case status == "":
		return "runs again"
	case status == run.Queued:
		return s.retryNote(now) + ": " + FailureNote(s.failure())
	case status == run.Skipped:
		return "its condition is false"
	case s.expanded && status == run.Running:
		return FailureNote(s.failure())
	case s.expanded && s.failed > 0:
		return fmt.Sprintf("%d of %d failed; %s", s.failed, len(s.items), FailureNote(s.failure()))
	case s.expanded && status == run.Failed:
		return s.counts()
	case s.failure() != nil:
		return attemptsNote(len(s.attempts), ": ") + FailureNote(s.failure())
	case status == run.Running && len(s.attempts) > 1:
		return s.attemptNote(len(s.attempts))
	case status == run.Success && s.expanded:
		return console.Plural(len(s.items), "item")
	case status == run.Success:
		return strings.TrimSpace(attemptsNote(len(s.attempts), "  ") + s.last().note)
	}
	return ""
}

// attemptsNote returns the number of attempts, if it is more than one.
func attemptsNote(n int, after string) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf("%d attempts%s", n, after)
}

// attemptNote returns the number of an attempt, and of the most attempts.
func (s *stepHistory) attemptNote(n int) string {
	if s.planned != nil && s.planned.Retry.MaxAttempts >= n {
		return fmt.Sprintf("attempt %d of %d", n, s.planned.Retry.MaxAttempts)
	}
	return fmt.Sprintf("attempt %d", n)
}

// retryNote returns the number of the next attempt, and when it is due.
func (s *stepHistory) retryNote(now time.Time) string {
	note := s.attemptNote(len(s.attempts)+1) + ", next "
	if wait := s.due.Sub(now); wait > 0 {
		return note + "in " + console.Took(wait)
	}
	return note + "now"
}

// FailureNote returns the kind and the first line of a failure.
func FailureNote(f *run.Failure) string {
	if f == nil {
		return ""
	}
	if f.Item > 0 {
		return fmt.Sprintf("item %d: %s: %s", f.Item, f.Kind, console.FirstLine(f.Message))
	}
	return string(f.Kind) + ": " + console.FirstLine(f.Message)
}

// outputsNote returns the short outputs of an action. For an object it is the id of the object.
func outputsNote(a *action.Action, outputs any) string {
	o, _ := outputs.(action.Object)
	var parts []string
	for _, f := range a.Out.Fields {
		v := o[f.Name]
		if inner, ok := v.(action.Object); ok {
			v = inner["id"]
		}
		switch text := v.(type) {
		case bool, float64:
			parts = append(parts, f.Name+"="+console.ValueText(v))
		case string:
			if text != "" && f.Name != "message" && len(text) <= 60 {
				parts = append(parts, f.Name+"="+console.ValueText(v))
			}
		}
	}
	return strings.Join(parts, " ")
}

// choose returns the steps to draw, at most most lines, and a line that counts the others.
func (p *Progress) choose(most int) (steps []*stepHistory, rest string) {
	var listed []*stepHistory
	for _, step := range p.history.steps {
		if step.listed() {
			listed = append(listed, step)
		}
	}
	if len(listed) <= most {
		return listed, ""
	}
	chosen := map[*stepHistory]bool{}
	for _, wanted := range drawingOrder(listed) {
		if len(chosen) < most-1 {
			chosen[wanted] = true
		}
	}
	waiting, ended := 0, 0
	for _, step := range listed {
		switch {
		case chosen[step]:
			steps = append(steps, step)
		case step.status() == "":
			waiting++
		default:
			ended++
		}
	}
	return steps, fmt.Sprintf("… and %s: %d started, %d waiting", console.Plural(waiting+ended, "step"), ended, waiting)
}

// drawingOrder returns the steps in the order in which they get a line: active steps, failed steps, the
// next two steps, then the ended steps, the latest first.
func drawingOrder(steps []*stepHistory) []*stepHistory {
	var active, failed, waiting, ended []*stepHistory
	for _, step := range steps {
		switch step.status() {
		case run.Running, run.Queued, run.Suspended:
			active = append(active, step)
		case run.Failed:
			failed = append(failed, step)
		case "":
			waiting = append(waiting, step)
		default:
			ended = append(ended, step)
		}
	}
	slices.Reverse(ended)
	next := min(len(waiting), 2)
	order := append(append(active, failed...), waiting[:next]...)
	return append(append(order, ended...), waiting[next:]...)
}
