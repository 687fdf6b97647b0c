package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// redrawEvery is how often the screen is drawn again.
const redrawEvery = 100 * time.Millisecond

// leastHeight is the height of a terminal below which nothing is drawn again.
const leastHeight = 6

// A progress shows a run while it goes on: on a terminal one line a step, drawn
// again as it changes; elsewhere a plain line for each step that ends.
type progress struct {
	program   *program
	terminal  terminal
	simulated bool
	now       func() time.Time

	mu      sync.Mutex
	history *history
	header  bool            // it was printed
	shown   bool            // the steps are drawn
	printed map[string]bool // steps whose plain line was printed
	drawn   int             // lines on the screen that are to be drawn over
	ticker  *time.Ticker
	done    chan struct{}
}

// newProgress shows a run of a plan. The events of a run that goes on, if it is
// one, were there before.
func newProgress(p *program, plan *workflow.Plan, simulated bool, before []run.Event) *progress {
	view := &progress{program: p, terminal: p.terminal, simulated: simulated, now: time.Now, history: newHistory(plan), printed: map[string]bool{}}
	for _, e := range before {
		view.history.add(e)
	}
	if _, height := view.terminal.size(); height < leastHeight {
		view.terminal.live = false
	}
	return view
}

// Observe shows one event.
func (p *progress) Observe(e run.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	step := p.history.add(e)
	switch e.Kind {
	case run.EventQueued:
		p.head(e)
		p.line("  waits: " + e.Reason)
	case run.EventStarted, run.EventResumed, run.EventRetried:
		p.head(e)
		p.begin()
	case run.EventCancelled:
		if p.program.signal.Load() == 0 {
			p.line("  stopping: somebody asked for the run to be cancelled")
		}
	case run.EventTimedOut:
		p.line("  stopping: the run has used up its time")
	case run.EventLogged:
		p.line(p.logLine(e))
	case run.EventFinished, run.EventSuspended:
		p.end(e.Kind == run.EventFinished)
	default:
		if step != nil && !p.terminal.live {
			p.plain(step, e.Kind == run.EventAttemptFinished)
		}
	}
}

// head prints which run it is.
func (p *progress) head(e run.Event) {
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

// begin shows the steps from now on, those that are done already too.
func (p *progress) begin() {
	p.shown = true
	if !p.terminal.live {
		for _, step := range p.history.steps {
			p.plain(step, false)
		}
		return
	}
	p.program.underWay.drawsOver(p.Line)
	p.draw()
	if p.ticker == nil {
		p.ticker, p.done = time.NewTicker(redrawEvery), make(chan struct{})
		go p.tick(p.ticker.C, p.done)
	}
}

func (p *progress) tick(ticks <-chan time.Time, done <-chan struct{}) {
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

// Line prints a line above the drawn ones.
func (p *progress) Line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(text)
}

// plain prints the line of a step that has ended, and one for each retry.
func (p *progress) plain(step *stepHistory, attemptEnded bool) {
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

// end shows the steps that never ran, where the run is over, and draws for the
// last time.
func (p *progress) end(over bool) {
	switch {
	case p.terminal.live:
		p.drawAll()
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

// stop ends the drawing, whatever became of the run.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halt()
}

func (p *progress) halt() {
	p.shown = false
	if p.ticker != nil {
		p.program.underWay.drawsOver(nil)
		p.ticker.Stop()
		close(p.done)
		p.ticker = nil
	}
}

// draw draws the lines of the steps over those that stand there.
func (p *progress) draw() {
	_, height := p.terminal.size()
	p.drawSteps(height - 2)
}

// drawAll draws every step: nothing is drawn over them any more.
func (p *progress) drawAll() { p.drawSteps(len(p.history.steps)) }

func (p *progress) drawSteps(most int) {
	if !p.terminal.live || !p.shown {
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
		width, _ := p.terminal.size()
		b.WriteString(cut("  "+rest, width-1) + "\n")
		p.drawn++
	}
	p.write(b.String())
}

// eraseTo moves to the first drawn line and clears the screen from there.
func (p *progress) eraseTo(b *strings.Builder) {
	if p.drawn > 0 {
		// The echo of a Ctrl-C may have moved the cursor off the first column.
		fmt.Fprintf(b, "\r\x1b[%dA\x1b[J", p.drawn)
	}
	p.drawn = 0
}

// line prints a line above the drawn ones.
func (p *progress) line(text string) {
	var b strings.Builder
	if p.terminal.live {
		p.eraseTo(&b)
	}
	b.WriteString(text + "\n")
	p.write(b.String())
	p.draw()
}

func (p *progress) write(text string) { _, _ = io.WriteString(p.program.stderr, text) }

func (p *progress) logLine(e run.Event) string {
	style := styleDim
	if e.Log.Level == "warn" || e.Log.Level == "error" {
		style = styleYellow
	}
	return fmt.Sprintf("  %s %s: %s", p.terminal.style(style, e.Log.Level), stepOf(e), loggedText(e.Log))
}
