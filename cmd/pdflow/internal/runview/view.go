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
	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// SummaryTook is how long a run took, or has taken so far while it goes on.
func SummaryTook(run *engine.RunSummary, now time.Time) string {
	switch {
	case !run.EndedAt.IsZero():
		return console.Took(run.EndedAt.Sub(run.BegunAt))
	case run.Live:
		return console.Took(now.Sub(run.BegunAt)) + " so far"
	}
	return "-"
}

// A View is a recorded run as a person looks at it at some time.
type View struct {
	Summary *engine.RunSummary
	Events  []engine.Event
	history *History
	GoOn    string // the command that goes on with the run; empty when nothing does
	now     time.Time
	page    console.Terminal
}

// NewView folds the events of a run. Without a plan less is known of the steps.
func NewView(summary *engine.RunSummary, events []engine.Event, plan *workflow.Plan, goOn string, page console.Terminal) *View {
	view := &View{Summary: summary, Events: events, history: newHistory(plan), GoOn: goOn, now: time.Now(), page: page}
	for _, e := range events {
		view.history.add(e)
	}
	return view
}

// Outcome is what the run began with, and what it ended with.
func (v *View) Outcome() (start *engine.RunStart, outputs action.Object, failure *engine.Failure) {
	return v.history.start, v.history.outputs, v.history.failure
}

// Text is the whole page: the facts, then the timeline.
func (v *View) Text() string {
	var b strings.Builder
	width := v.page.Columns()
	mark, style := Sign(v.Summary.Status)
	fmt.Fprintf(&b, "%s %s · run %s · %s\n\n", v.page.Style(style, mark), console.Printable(v.Summary.Workflow), v.Summary.Run, v.Summary.Status)
	const name = 9 // of the longest fact
	for _, fact := range v.facts() {
		for i, line := range console.Wrap(fact.text, width-name-4) {
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

func (v *View) facts() []fact {
	h := v.history
	facts := []fact{{"trigger", triggerText(h.start.Trigger)}, {"target", targetText(h.start.Target)}}
	facts = append(facts, fact{"started", h.begun.Local().Format(console.DateTime) + ", " + console.Ago(v.now.Sub(h.begun))})
	for _, m := range h.marks {
		facts = append(facts, v.markFact(m))
	}
	if d := SummaryTook(v.Summary, v.now); d != "-" {
		facts = append(facts, fact{"took", d})
	}
	facts = append(facts, valueFacts("inputs", h.start.Inputs)...)
	facts = append(facts, valueFacts("outputs", h.outputs)...)
	facts = append(facts, usageFacts(v.Events)...)
	if h.reason != "" && h.status == engine.Skipped {
		facts = append(facts, fact{"error", h.reason})
	}
	if h.failure != nil {
		facts = append(facts, fact{"error", strings.Join(failureLines(h.failure), "\n")})
	}
	if v.GoOn != "" && !v.undecided() {
		facts = append(facts, fact{"go on", v.GoOn})
	}
	return facts
}

// undecided reports whether the run came upon a call whose outcome is unknown.
func (v *View) undecided() bool {
	return v.Summary.Status == engine.NeedsAttention && v.history.failure != nil && v.history.failure.Call > 0
}

func (v *View) writeDecisions(b *strings.Builder) {
	if v.GoOn != "" && v.undecided() {
		b.WriteString("\n")
		for line := range strings.Lines(DecisionText(v.GoOn, v.history.failure)) {
			b.WriteString("  " + line)
		}
	}
}

func triggerText(t engine.Trigger) string {
	if t.ScheduledAt != nil {
		return t.Kind + ", due " + t.ScheduledAt.Local().Format(console.DateTime)
	}
	return t.Kind
}

func targetText(t engine.Target) string {
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
func (v *View) markFact(m mark) fact {
	_, name, _ := strings.Cut(string(m.kind), ".")
	text := m.at.Local().Format(console.DateTime)
	switch m.kind {
	case engine.RunResumed, engine.RunRetried:
		text += ", after " + console.Took(m.idle)
	case engine.RunStarted:
		name = "began"
	case engine.RunQueued:
		text += ": " + v.history.reason
	}
	return fact{strings.ReplaceAll(name, "_", " "), text}
}

// valueFacts are values by name, the first with the label.
func valueFacts(label string, values action.Object) []fact {
	var facts []fact
	for _, name := range action.SortedNames(values) {
		text := fmt.Sprintf("%s = %s", name, console.Cut(console.Printable(factText(values[name])), 500))
		facts = append(facts, fact{label, text})
		label = ""
	}
	return facts
}

// maxUsages is how many steps are shown with what they used.
const maxUsages = 3

// usageFacts are the steps whose scripts used most, each with its attempts and items
// together.
func usageFacts(events []engine.Event) []fact {
	used := map[string]engine.Usage{}
	for _, e := range events {
		if e.Kind == engine.AttemptFinished && e.Outcome.Used != nil {
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
	return console.ValueText(v)
}
