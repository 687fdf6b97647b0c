package runview

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
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
	view := &Progress{console: c, terminal: c.Terminal, simulated: simulated, now: time.Now, history: newHistory(plan), printed: map[string]bool{}}
	for _, e := range before {
		view.history.add(e)
	}
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
			p.line("  stopping: the run is being cancelled")
		}
	case run.EventTimedOut:
		p.line("  stopping: the run has reached its timeout")
	case run.EventLogged:
		p.line(p.logLine(e))
	case run.EventFinished, run.EventSuspended:
		p.end(e.Kind == run.EventFinished)
	default:
		if step != nil && !p.terminal.Live {
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
