package runview

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// SummaryTook returns how long a run took, or how long it has taken so far.
func SummaryTook(summary *journal.Summary, now time.Time) string {
	switch {
	case !summary.EndedAt.IsZero():
		return console.Took(summary.EndedAt.Sub(summary.BegunAt))
	case summary.Live:
		return console.Took(now.Sub(summary.BegunAt)) + " so far"
	}
	return "-"
}

// A View is the page of a recorded run at some time.
type View struct {
	Summary *journal.Summary
	Events  []run.Event
	history *history
	Next    string // the command that resumes or retries the run; empty if none can
	now     time.Time
	page    console.Terminal
}

// NewView returns the view of the events of a run. Without a plan it shows less about the steps.
func NewView(summary *journal.Summary, events []run.Event, plan *workflow.Plan, next string, page console.Terminal) *View {
	return &View{Summary: summary, Events: events, history: newHistory(plan, events...), Next: next, now: time.Now(), page: page}
}

// Outcome returns how the run started, its outputs and its failure.
func (v *View) Outcome() (start *run.Start, outputs action.Object, failure *run.Failure) {
	return v.history.start, v.history.outputs, v.history.failure
}

// Text returns the page: the facts, then the timeline.
func (v *View) Text() string {
	var b strings.Builder
	width := v.page.Columns()
	mark, style := Sign(v.Summary.Status)
	fmt.Fprintf(&b, "%s %s · run %s · %s\n\n", v.page.Style(style, mark), console.Printable(v.Summary.Workflow), v.Summary.Run, v.Summary.Status)
	const name = 9 // columns
	for _, fact := range v.facts() {
		for i, line := range console.Wrap(fact.text, width-name-4) {
			label := ""
			if i == 0 {
				label = fact.name
			}
			b.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s  %s", name, label, line), " ") + "\n")
		}
	}
	if v.Next != "" && v.undecided() {
		b.WriteString("\n")
		for line := range strings.Lines(DecisionText(v.Next, v.history.failure)) {
			b.WriteString("  " + line)
		}
	}
	b.WriteString("\n" + v.timeline(width))
	return b.String()
}

// A fact is a line at the head of a page.
type fact struct{ name, text string }

func (v *View) facts() []fact {
	h := v.history
	facts := []fact{{"trigger", triggerText(h.start.Trigger)}, {"target", targetText(h.start.Target)}}
	facts = append(facts, fact{"started", h.startedAt.Local().Format(console.DateTime) + ", " + console.Ago(v.now.Sub(h.startedAt))})
	for _, m := range h.marks {
		facts = append(facts, v.markFact(m))
	}
	if d := SummaryTook(v.Summary, v.now); d != "-" {
		facts = append(facts, fact{"took", d})
	}
	facts = append(facts, valueFacts("inputs", h.start.Inputs)...)
	facts = append(facts, valueFacts("outputs", h.outputs)...)
	facts = append(facts, usageFacts(v.Events)...)
	if h.reason != "" && h.status == run.Skipped {
		facts = append(facts, fact{"error", h.reason})
	}
	if h.failure != nil {
		facts = append(facts, fact{"error", strings.Join(failureLines(h.failure), "\n")})
	}
	if v.Next != "" && !v.undecided() {
		facts = append(facts, fact{"next", v.Next})
	}
	return facts
}

// undecided reports whether the run waits for a decision about a call.
func (v *View) undecided() bool {
	return v.Summary.Status == run.NeedsAttention && v.history.failure != nil && v.history.failure.Call > 0
}

func triggerText(t run.Trigger) string {
	if t.ScheduledAt != nil {
		return t.Kind + ", due " + t.ScheduledAt.Local().Format(console.DateTime)
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

// markFact returns the fact of an event of the run as a whole.
func (v *View) markFact(m mark) fact {
	_, name, _ := strings.Cut(string(m.kind), ".")
	text := m.at.Local().Format(console.DateTime)
	switch m.kind {
	case run.EventResumed, run.EventRetried:
		text += ", after " + console.Took(m.idle)
	case run.EventStarted:
		name = "began"
	case run.EventQueued:
		text += ": " + v.history.reason
	}
	return fact{strings.ReplaceAll(name, "_", " "), text}
}

// valueFacts returns a fact for each value, the first with the label.
func valueFacts(label string, values action.Object) []fact {
	var facts []fact
	for _, name := range action.SortedNames(values) {
		text := fmt.Sprintf("%s = %s", name, console.Cut(console.Printable(factText(values[name])), 500))
		facts = append(facts, fact{label, text})
		label = ""
	}
	return facts
}

// maxUsages is for how many steps the page shows what their scripts used.
const maxUsages = 3

// usageFacts returns the steps whose scripts used the most, each with all its attempts and items.
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
		facts = append(facts, fact{"", fmt.Sprintf("and %s with less", console.Plural(more, "step"))})
	}
	return facts
}

// grouped returns a number with commas between thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// factText returns a value for people. For a secret it is the name of the secret.
func factText(v any) string {
	if secret, ok := v.(action.Secret); ok {
		return secret.String()
	}
	return console.ValueText(v)
}
