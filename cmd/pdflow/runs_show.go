package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/spf13/cobra"
)

func (p *program) runsShowCommand() *cobra.Command {
	var folder dataFolder
	var output string
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show what happened in a run: its steps, attempts and calls over time",
		Example: `  pdflow runs show last
  pdflow runs show 01M838X2C49B
  pdflow runs show last -o json   # with every event`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.runsShow(c.Context(), args[0], folder, output) },
	}
	folder.addFlag(c.Flags())
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// A showReport is what `runs show -o json` prints.
type showReport struct {
	summaryReport
	Inputs  action.Object `json:"inputs"` // secrets as references
	Target  run.Target    `json:"target"`
	Outputs action.Object `json:"outputs"`
	Error   any           `json:"error"`
	GoOn    string        `json:"go_on,omitempty"` // the command that does
	Events  []run.Event   `json:"events"`
}

func (p *program) runsShow(ctx context.Context, name string, folder dataFolder, output string) error {
	if err := oneOf("output", output, "text", "json"); err != nil {
		return err
	}
	j, err := p.records(folder)
	if err != nil {
		return err
	}
	defer p.closeJournal(j)
	run, err := j.read(ctx, name)
	if err != nil {
		return err
	}
	view := p.runView(ctx, j, run)
	if output == "json" {
		return writeJSON(p.stdout, view.report())
	}
	_, err = io.WriteString(p.stdout, view.text())
	return err
}

// A runView is a recorded run as a person looks at it at some time.
type runView struct {
	run     *recordedRun
	history *history
	goOn    string // the command that goes on with the run; empty when nothing does
	now     time.Time
	page    terminal
}

// runView folds the events of a run. Without a plan, which a later version of
// pdflow may not make any more of the recorded sources, less is known of the
// steps.
func (p *program) runView(ctx context.Context, j *journalFolder, run *recordedRun) *runView {
	view := &runView{run: run, now: time.Now(), page: p.page}
	if site, err := checkingSite(); err == nil {
		if plan, err := j.plan(ctx, run.Run, site); err == nil {
			view.history = newHistory(plan)
		}
	}
	if view.history == nil {
		view.history = newHistory(nil)
	}
	for _, e := range run.events {
		view.history.add(e)
	}
	if verb := run.verb(); verb != "" {
		view.goOn = j.command(verb, run.Run, run.secretInputs())
	}
	return view
}

// verb is the command that goes on with the run.
func (r *recordedRun) verb() string {
	switch {
	case r.start().Target.Simulator != "" || r.Live && r.EndedAt.IsZero() && r.Status != run.NeedsAttention:
		return ""
	case r.Status == run.Success || r.Status == run.Skipped:
		return ""
	case r.EndedAt.IsZero():
		return "resume"
	}
	return "retry"
}

func (v *runView) report() showReport {
	start := v.history.start
	r := showReport{
		summaryReport: reportSummary(&v.run.Summary), Inputs: start.Inputs, Target: start.Target,
		Outputs: v.history.outputs, GoOn: v.goOn, Events: v.run.events,
	}
	if v.history.failure != nil {
		r.Error = v.history.failure
	}
	if r.Inputs == nil {
		r.Inputs = action.Object{}
	}
	if r.Outputs == nil {
		r.Outputs = action.Object{}
	}
	return r
}

// text is the whole page: the facts, then the timeline.
func (v *runView) text() string {
	var b strings.Builder
	width := v.page.columns()
	mark, style := sign(v.run.Status)
	fmt.Fprintf(&b, "%s %s · run %s · %s\n\n", v.page.style(style, mark), printable(v.run.Workflow), v.run.Run, v.run.Status)
	const name = 9 // of the longest fact
	for _, fact := range v.facts() {
		for i, line := range wrap(fact.text, width-name-4) {
			label := ""
			if i == 0 {
				label = fact.name
			}
			b.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s  %s", name, label, line), " ") + "\n")
		}
	}
	v.writeDecisions(&b)
	b.WriteString("\n" + v.timeline(width))
	return b.String()
}

// A fact is a line of the head of a page.
type fact struct{ name, text string }

func (v *runView) facts() []fact {
	h := v.history
	facts := []fact{{"trigger", triggerText(h.start.Trigger)}, {"target", targetText(h.start.Target)}}
	facts = append(facts, fact{"started", h.begun.Local().Format(startedAt) + ", " + ago(v.now.Sub(h.begun))})
	for _, m := range h.marks {
		facts = append(facts, v.markFact(m))
	}
	if d := summaryTook(&v.run.Summary, v.now); d != "-" {
		facts = append(facts, fact{"took", d})
	}
	facts = append(facts, valueFacts("inputs", h.start.Inputs)...)
	facts = append(facts, valueFacts("outputs", h.outputs)...)
	facts = append(facts, usageFacts(v.run.events)...)
	if h.reason != "" && h.status == run.Skipped {
		facts = append(facts, fact{"error", h.reason})
	}
	if h.failure != nil {
		facts = append(facts, fact{"error", strings.Join(failureLines(h.failure), "\n")})
	}
	if v.goOn != "" && !v.undecided() {
		facts = append(facts, fact{"go on", v.goOn})
	}
	return facts
}

// undecided reports whether the run came upon a call whose outcome is unknown.
func (v *runView) undecided() bool {
	return v.run.Status == run.NeedsAttention && v.history.failure != nil && v.history.failure.Call > 0
}

func (v *runView) writeDecisions(b *strings.Builder) {
	if v.goOn != "" && v.undecided() {
		b.WriteString("\n")
		for line := range strings.Lines(decisionText(v.goOn, v.history.failure)) {
			b.WriteString("  " + line)
		}
	}
}

func triggerText(t run.Trigger) string {
	if t.ScheduledAt != nil {
		return t.Kind + ", due " + t.ScheduledAt.Local().Format(startedAt)
	}
	return t.Kind
}

func targetText(t run.Target) string {
	if t.Simulator != "" {
		return "a simulator, which ended with its process"
	}
	text := t.APIURL
	if t.EventsURL != t.APIURL {
		text += ", " + t.EventsURL
	}
	return text
}

// markFact says when something happened to the run as a whole.
func (v *runView) markFact(m mark) fact {
	_, name, _ := strings.Cut(string(m.kind), ".")
	text := m.at.Local().Format(startedAt)
	switch m.kind {
	case run.EventResumed, run.EventRetried:
		text += ", after " + took(m.idle)
	case run.EventStarted:
		name = "began"
	case run.EventQueued:
		text += ": " + v.history.reason
	}
	return fact{strings.ReplaceAll(name, "_", " "), text}
}

// valueFacts are values by name, the first with the label.
func valueFacts(label string, values action.Object) []fact {
	var facts []fact
	for _, name := range action.SortedNames(values) {
		text := fmt.Sprintf("%s = %s", name, cut(printable(factText(values[name])), 500))
		facts = append(facts, fact{label, text})
		label = ""
	}
	return facts
}

// maxUsages is how many steps are shown with what they used.
const maxUsages = 3

// usageFacts are the steps whose scripts used most, each with its attempts and items
// together.
func usageFacts(events []run.Event) []fact {
	used := map[string]run.Usage{}
	for _, e := range events {
		if e.Kind == run.EventAttemptFinished && e.Outcome.Used != nil {
			sum := used[e.Step]
			sum.Instructions += e.Outcome.Used.Instructions
			sum.Bytes += e.Outcome.Used.Bytes
			used[e.Step] = sum
		}
	}
	steps := slices.SortedFunc(maps.Keys(used), func(a, b string) int {
		return cmp.Or(cmp.Compare(used[b].Instructions, used[a].Instructions), cmp.Compare(a, b))
	})
	var facts []fact
	label := "used"
	for _, step := range steps[:min(len(steps), maxUsages)] {
		text := fmt.Sprintf("%s: %s instructions, %s KB", step, grouped(used[step].Instructions), grouped((used[step].Bytes+1023)/1024))
		facts, label = append(facts, fact{label, text}), ""
	}
	if more := len(steps) - maxUsages; more > 0 {
		facts = append(facts, fact{"", fmt.Sprintf("and %s with less", plural(more, "step"))})
	}
	return facts
}

// grouped writes a number with commas between thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// factText is a value for people; of a secret it is the name.
func factText(v any) string {
	if secret, ok := v.(action.Secret); ok {
		return secret.String()
	}
	return valueText(v)
}
