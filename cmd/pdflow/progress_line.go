package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// The signs of what became of something, with the style of each. A word always
// stands beside it.
func sign(status run.Status) (text, style string) {
	switch status {
	case run.Success:
		return "✓", styleGreen
	case run.Failed, run.TimedOut:
		return "✗", styleRed
	case run.Skipped, run.Cancelled:
		return "–", styleDim
	case run.Running:
		return "●", styleYellow
	case run.Queued:
		return "↻", styleYellow
	case run.Suspended, run.NeedsAttention, run.Interrupted:
		return "?", styleYellow
	}
	return "○", styleDim
}

// listed reports whether the step has a line: on_failure and finally have none
// before they run.
func (s *stepHistory) listed() bool {
	return s.part() == workflow.Main || len(s.attempts) > 0
}

// text is the line of a step: a sign, its id, what it does, how it stands. On a
// live terminal it is cut to the width: a line that wrapped would be counted as
// one and drawn over wrongly.
func (p *progress) text(step *stepHistory) string {
	idWidth, whatWidth := p.widths()
	status, state, note := p.history.stands(step, p.now())
	mark, style := sign(status)
	line := fmt.Sprintf("%-*s  %-*s  %s", idWidth, step.id, whatWidth, step.what, state)
	if note != "" {
		line += "  " + printable(note)
	}
	if p.terminal.live {
		width, _ := p.terminal.size()
		line = cut(line, width-5) // two spaces, the sign, a space, and the last column free
	}
	return "  " + p.terminal.style(style, mark) + " " + strings.TrimRight(line, " ") + "\n"
}

// widths are those of the longest id and of the longest action.
func (p *progress) widths() (id, what int) {
	for _, step := range p.history.steps {
		if step.listed() {
			id, what = max(id, len(step.id)), max(what, len(step.what))
		}
	}
	return id, what
}

// stands says how a step stands: its status, that in a word or two, and what else
// there is to say.
func (h *history) stands(step *stepHistory, now time.Time) (status run.Status, state, note string) {
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
	return status, took(to.Sub(from)), note
}

// running says for how long something has gone on, once that is worth saying.
func running(d time.Duration) string {
	if d > time.Second {
		return " " + took(d)
	}
	return ""
}

// counts says how far a for_each is.
func (s *stepHistory) counts() string {
	text := fmt.Sprintf("%d/%d done", s.done, len(s.items))
	if s.failed > 0 {
		text += fmt.Sprintf(", %d failed", s.failed)
	}
	return text
}

// note is what else there is to say of a step.
func (s *stepHistory) note(now time.Time) string {
	switch status := s.status(); {
	case status == "" && len(s.attempts) == 0:
		return ""
	case status == "":
		return "again"
	case status == run.Queued:
		return s.retryNote(now) + ": " + failureNote(s.failure())
	case status == run.Skipped:
		return "its condition is false"
	case s.expanded && status == run.Running:
		return failureNote(s.failure())
	case s.expanded && s.failed > 0:
		return fmt.Sprintf("%d of %d failed; %s", s.failed, len(s.items), failureNote(s.failure()))
	case s.expanded && status == run.Failed:
		return s.counts()
	case s.failure() != nil:
		return attemptsNote(len(s.attempts), ": ") + failureNote(s.failure())
	case status == run.Running && len(s.attempts) > 1:
		return s.attemptNote(len(s.attempts))
	case status == run.Success && s.expanded:
		return plural(len(s.items), "item")
	case status == run.Success:
		return strings.TrimSpace(attemptsNote(len(s.attempts), "  ") + s.last().note)
	}
	return ""
}

// attemptsNote says how many attempts there were when it was more than one.
func attemptsNote(n int, after string) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf("%d attempts%s", n, after)
}

// attemptNote says which attempt it is.
func (s *stepHistory) attemptNote(n int) string {
	if most := s.maxAttempts(); most >= n {
		return fmt.Sprintf("attempt %d of %d", n, most)
	}
	return fmt.Sprintf("attempt %d", n)
}

// retryNote says which attempt is next, and when.
func (s *stepHistory) retryNote(now time.Time) string {
	note := s.attemptNote(len(s.attempts)+1) + ", next "
	if wait := s.due.Sub(now); wait > 0 {
		return note + "in " + took(wait)
	}
	return note + "now"
}

func failureNote(f *run.Failure) string {
	if f == nil {
		return ""
	}
	if f.Item > 0 {
		return fmt.Sprintf("item %d: %s: %s", f.Item, f.Kind, firstLine(f.Message))
	}
	return string(f.Kind) + ": " + firstLine(f.Message)
}

// outputsNote names the outputs of an action in a few words; of an object it
// takes the id.
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
			parts = append(parts, f.Name+"="+valueText(v))
		case string:
			if text != "" && f.Name != "message" && len(text) <= 60 {
				parts = append(parts, f.Name+"="+valueText(v))
			}
		}
	}
	return strings.Join(parts, " ")
}

// choose picks the steps that are drawn where not all have room: what goes on
// before what failed, that before what comes next, that before what ended last.
// The others are counted.
func (p *progress) choose(most int) (steps []*stepHistory, rest string) {
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
	return steps, fmt.Sprintf("… and %s: %d begun, %d waiting", plural(waiting+ended, "step"), ended, waiting)
}

// drawingOrder lists steps by how much they tell.
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
