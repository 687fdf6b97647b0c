package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// redrawEvery is how often the time of a running step moves on the screen.
const redrawEvery = 100 * time.Millisecond

// A progress shows a run while it goes on: on a terminal one line a step, drawn
// again as it changes; elsewhere a plain line for each step that ends.
type progress struct {
	program   *program
	plan      *workflow.Plan
	terminal  terminal
	simulated bool

	mu     sync.Mutex
	steps  []shownStep
	index  map[string]int
	width  int // of the longest step id
	what   int // of the longest action
	drawn  int // lines on the screen that are to be drawn over
	ticker *time.Ticker
	done   chan struct{}
}

type shownStep struct {
	id, what string
	status   engine.Status // empty before the end
	since    time.Time     // zero before the start
	took     time.Duration
	note     string
}

// Observe shows one event.
func (p *progress) Observe(e engine.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case engine.RunStarted:
		p.begin(e)
	case engine.AttemptStarted:
		if i, ok := p.index[e.Step]; ok {
			p.steps[i].since = e.Time
			p.draw()
		}
	case engine.AttemptFinished:
		p.finished(e)
	case engine.Logged:
		p.line(p.logLine(e))
	case engine.RunFinished:
		p.end()
	}
}

func (p *progress) begin(e engine.Event) {
	p.index = map[string]int{}
	for i := range p.plan.Steps {
		s := &p.plan.Steps[i]
		what := "lua"
		if s.Action != nil {
			what = s.Action.Name
		}
		p.index[s.ID] = i
		p.steps = append(p.steps, shownStep{id: s.ID, what: what})
		p.width, p.what = max(p.width, len(s.ID)), max(p.what, len(what))
	}
	where := ""
	if p.simulated {
		where = " · simulated: nothing leaves this machine"
	}
	p.line(fmt.Sprintf("%s · run %s%s", e.Started.Workflow, e.Run, where))
	_, height := p.terminal.size()
	if !p.terminal.live || len(p.steps)+3 > height {
		p.terminal.live = false
		return
	}
	p.draw()
	p.ticker, p.done = time.NewTicker(redrawEvery), make(chan struct{})
	go p.tick(p.ticker.C, p.done)
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

func (p *progress) finished(e engine.Event) {
	i, ok := p.index[e.Step]
	if !ok {
		return
	}
	s := &p.steps[i]
	s.status, s.took = e.Outcome.Status, e.Time.Sub(s.since)
	if a := p.plan.Steps[i].Action; a != nil && s.status == engine.Success {
		s.note = outputsNote(a, e.Outcome.Outputs)
	}
	if e.Outcome.Error != nil {
		s.note = string(e.Outcome.Error.Kind) + ": " + firstLine(e.Outcome.Error.Message)
	}
	if s.status == engine.Skipped {
		s.note = "its condition is false"
	}
	if p.terminal.live {
		p.draw()
		return
	}
	p.write(p.text(s) + "\n")
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

// end shows the steps that never ran, and draws for the last time.
func (p *progress) end() {
	for i := range p.steps {
		if s := &p.steps[i]; s.status == "" {
			s.status, s.note = engine.Skipped, "not run"
			if !p.terminal.live {
				p.write(p.text(s) + "\n")
			}
		}
	}
	p.draw()
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
	if p.ticker != nil {
		p.ticker.Stop()
		close(p.done)
		p.ticker = nil
	}
}

// draw draws the lines of all steps over those that stand there.
func (p *progress) draw() {
	if !p.terminal.live {
		return
	}
	var b strings.Builder
	p.eraseTo(&b)
	width, _ := p.terminal.size()
	for i := range p.steps {
		b.WriteString(p.fit(&p.steps[i], width) + "\n")
	}
	p.drawn = len(p.steps)
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

// fit is the line of a step, cut to the width of the terminal: a wrapped line
// would be counted as one and drawn over wrongly.
func (p *progress) fit(s *shownStep, width int) string {
	full := *s
	for len([]rune(p.plain(&full))) >= width && full.note != "" {
		runes := []rune(full.note)
		excess := len([]rune(p.plain(&full))) - width + 2
		if excess >= len(runes) {
			full.note = ""
			break
		}
		full.note = string(runes[:len(runes)-excess]) + "…"
	}
	if plain := []rune(p.plain(&full)); len(plain) >= width {
		return string(plain[:max(width-1, 0)])
	}
	return p.text(&full)
}

func (p *progress) plain(s *shownStep) string {
	quiet := progress{width: p.width, what: p.what, program: p.program}
	return quiet.text(s)
}

// text is the line of a step: a sign, its id, what it does, how it stands.
func (p *progress) text(s *shownStep) string {
	sign, style, state := "○", styleDim, "waiting"
	switch {
	case s.status == engine.Success:
		sign, style, state = "✓", styleGreen, took(s.took)
	case s.status == engine.Failed:
		sign, style, state = "✗", styleRed, took(s.took)
	case s.status == engine.Skipped:
		sign, style, state = "–", styleDim, "skipped"
	case !s.since.IsZero():
		sign, style, state = "●", styleYellow, "running"
		if d := time.Since(s.since); d > time.Second {
			state = "running " + took(d)
		}
	}
	line := fmt.Sprintf("  %s %-*s  %-*s  %s", p.terminal.style(style, sign), p.width, s.id, p.what, s.what, state)
	if s.note != "" {
		line += "  " + s.note
	}
	return line
}

// took writes a duration as people read it.
func took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "<1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func (p *progress) logLine(e engine.Event) string {
	style := styleDim
	if e.Log.Level == "warn" || e.Log.Level == "error" {
		style = styleYellow
	}
	text := fmt.Sprintf("  %s %s: %s", p.terminal.style(style, e.Log.Level), e.Step, e.Log.Message)
	for _, name := range action.SortedNames(e.Log.Fields) {
		text += fmt.Sprintf(" %s=%s", name, valueText(e.Log.Fields[name]))
	}
	return text
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
