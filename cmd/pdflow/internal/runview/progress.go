package runview

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// redrawEvery is how often the lines are drawn again.
const redrawEvery = 100 * time.Millisecond

// leastHeight is the lowest terminal in which lines are drawn again.
const leastHeight = 6

// A Progress shows a running run. On a terminal it has one line for each step and draws it again when
// the step changes. Elsewhere it prints a plain line for each step that ends.
type Progress struct {
	console   *console.Console
	terminal  console.Terminal
	simulated bool
	now       func() time.Time

	mu      sync.Mutex
	history *history
	header  bool            // the header was printed
	shown   bool            // the lines of the steps are drawn
	printed map[string]bool // the steps whose plain line was printed
	drawn   int             // how many lines are drawn
	ticker  *time.Ticker
	done    chan struct{}
}

// NewProgress returns a view of a run of a plan. Before are the events of a run that is resumed.
func NewProgress(c *console.Console, plan *workflow.Plan, simulated bool, before []run.Event) *Progress {
	view := &Progress{console: c, terminal: c.Terminal, simulated: simulated, now: time.Now, history: newHistory(plan, before...), printed: map[string]bool{}}
	if _, height := view.terminal.Size(); height < leastHeight {
		view.terminal.Live = false
	}
	return view
}

// Observe shows one event.
func (p *Progress) Observe(e run.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	step := p.history.add(e)
	switch e.Kind {
	case run.EventQueued:
		p.head(e)
		p.line("  waiting: " + e.Reason)
	case run.EventStarted, run.EventResumed, run.EventRetried:
		p.head(e)
		p.begin()
	case run.EventCancelled:
		if p.console.Signal.Load() == 0 {
			by := "another process"
			if e.Actor != nil {
				by = e.Actor.Name
			}
			p.line("  stopping: " + by + " cancelled the run")
		}
	case run.EventTimedOut:
		p.line("  stopping: the run has reached its timeout")
	case run.EventLogged:
		p.line(p.logLine(e))
	case run.EventFinished, run.EventSuspended:
		p.end(e.Kind == run.EventFinished)
	default:
		if step != nil && p.shown && !p.terminal.Live { // a decision comes before the run is resumed
			p.plain(step, e.Kind == run.EventAttemptFinished)
		}
	}
}

// head prints the header: the workflow and the run.
func (p *Progress) head(e run.Event) {
	if p.header {
		return
	}
	p.header = true
	how := ""
	switch {
	case e.Kind == run.EventResumed:
		how = " · resumed"
	case e.Kind == run.EventRetried:
		how = " · retried"
	case p.simulated:
		how = " · simulated: nothing leaves this machine"
	}
	p.line(fmt.Sprintf("%s · run %s%s", p.history.start.Workflow, e.Run, how))
}

// begin shows the lines of the steps from now on.
func (p *Progress) begin() {
	p.shown = true
	if !p.terminal.Live {
		for _, step := range p.history.steps {
			p.plain(step, false)
		}
		return
	}
	p.console.DrawsOver(p.Line)
	p.draw()
	if p.ticker == nil {
		p.ticker, p.done = time.NewTicker(redrawEvery), make(chan struct{})
		go p.tick(p.ticker.C, p.done)
	}
}

func (p *Progress) tick(ticks <-chan time.Time, done <-chan struct{}) {
	for {
		select {
		case <-ticks:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		case <-done:
			return
		}
	}
}

// Line prints a line above the drawn lines.
func (p *Progress) Line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(text)
}

// plain prints the line of a step that has ended, or that waits for a retry.
func (p *Progress) plain(step *stepHistory, attemptEnded bool) {
	switch step.status() {
	case "", run.Running:
		delete(p.printed, step.id)
	case run.Queued:
		if attemptEnded {
			p.write(p.text(step))
		}
	default:
		if !p.printed[step.id] {
			p.printed[step.id] = true
			p.write(p.text(step))
		}
	}
}

// end shows the steps that never ran, if the run is over, and draws for the last time.
func (p *Progress) end(over bool) {
	switch {
	case p.terminal.Live:
		p.drawSteps(len(p.history.steps)) // even if the terminal has fewer lines
	case over:
		for _, step := range p.history.steps {
			if step.listed() && !p.printed[step.id] {
				p.write(p.text(step))
			}
		}
	}
	p.drawn = 0
	p.halt()
}

// Stop ends the drawing.
func (p *Progress) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halt()
}

func (p *Progress) halt() {
	p.shown = false
	if p.ticker != nil {
		p.console.DrawsOver(nil)
		p.ticker.Stop()
		close(p.done)
		p.ticker = nil
	}
}

// draw draws the lines of the steps that fit over the drawn lines.
func (p *Progress) draw() {
	_, height := p.terminal.Size()
	p.drawSteps(height - 2)
}

func (p *Progress) drawSteps(most int) {
	if !p.terminal.Live || !p.shown {
		return
	}
	var b strings.Builder
	p.eraseTo(&b)
	steps, rest := p.choose(most)
	for _, step := range steps {
		b.WriteString(p.text(step))
	}
	p.drawn = len(steps)
	if rest != "" {
		width, _ := p.terminal.Size()
		b.WriteString(console.Cut("  "+rest, width-1) + "\n")
		p.drawn++
	}
	p.write(b.String())
}

// eraseTo moves to the first drawn line and clears the screen from there.
func (p *Progress) eraseTo(b *strings.Builder) {
	if p.drawn > 0 {
		// The echo of a Ctrl-C may have moved the cursor off the first column.
		fmt.Fprintf(b, "\r\x1b[%dA\x1b[J", p.drawn)
	}
	p.drawn = 0
}

// line prints a line above the drawn lines.
func (p *Progress) line(text string) {
	var b strings.Builder
	if p.terminal.Live {
		p.eraseTo(&b)
	}
	b.WriteString(text + "\n")
	p.write(b.String())
	p.draw()
}

func (p *Progress) write(text string) { _, _ = io.WriteString(p.console.Stderr, text) }

func (p *Progress) logLine(e run.Event) string {
	style := console.StyleDim
	if e.Log.Level == "warn" || e.Log.Level == "error" {
		style = console.StyleYellow
	}
	return fmt.Sprintf("  %s %s: %s", p.terminal.Style(style, e.Log.Level), stepOf(e), loggedText(e.Log))
}

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
