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
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// SummaryTook returns how long a run took, or how long it has taken so far.
func SummaryTook(summary *journal.Summary, now time.Time) string {
	switch {
	case !summary.EndedAt.IsZero():
		return console.Took(summary.EndedAt.Sub(summary.StartedAt))
	case summary.Live:
		return console.Took(now.Sub(summary.StartedAt)) + " so far"
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
	if t.Simulation != "" {
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
	for _, name := range phrase.Names(values) {
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

// The columns of a timeline.
const (
	timeColumns = 9  // of a time or a duration, such as 26h10m59s
	leastBar    = 12 // narrower bars are left out
	mostBar     = 60
	leastLabel  = 12
)

// A span is a span of time.
type span struct{ from, to time.Time }

// An axis maps times to places on a bar. Time in which no process worked on the run is left out, because
// an interruption over night would leave no space for the rest.
type axis struct {
	span
	idle []span
}

// worked returns how long processes worked on the run before t.
func (a axis) worked(t time.Time) time.Duration {
	d := t.Sub(a.from)
	for _, gap := range a.idle {
		switch {
		case t.After(gap.to):
			d -= gap.to.Sub(gap.from)
		case t.After(gap.from):
			d -= t.Sub(gap.from)
		}
	}
	return max(d, 0)
}

// bar returns the bar of a span of time on a line of cells. It has at least one cell.
func (a axis) bar(from, to time.Time, cells int) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	whole := max(a.worked(a.to), 1)
	place := func(t time.Time) int64 { return int64(a.worked(t)) * int64(cells) / int64(whole) }
	begin := min(place(from), int64(cells)-1)
	end := min(max(place(to), begin+1), int64(cells))
	return strings.Repeat(" ", int(begin)) + strings.Repeat("━", int(end-begin))
}

// A drawing lays rows out in columns.
type drawing struct {
	axis      axis
	startedAt time.Time
	width     int // of the page
	page      console.Terminal
	label     int // columns
	bar       int // cells; 0: none
}

// indent returns the column of the label of a row, after two spaces, two more for each level, the sign
// and a space.
func indent(depth int) int { return 4 + 2*depth }

func (d drawing) draw(rows []row) string {
	d.measure(rows)
	var b strings.Builder
	b.WriteString(d.header())
	for _, r := range rows {
		b.WriteString(d.line(r))
		if r.note == "" {
			continue
		}
		for _, line := range console.Wrap(r.note, d.width-indent(r.depth)-1) {
			b.WriteString(strings.Repeat(" ", indent(r.depth)) + line + "\n")
		}
	}
	return b.String()
}

// measure divides the width among the columns: the times first, then the labels, then the bars.
func (d *drawing) measure(rows []row) {
	for _, r := range rows {
		d.label = max(d.label, indent(r.depth)+console.Columns(r.label))
	}
	const times = 2 + timeColumns + 2 + timeColumns
	d.label = max(min(d.label, d.width-1-times), leastLabel)
	d.bar = min(d.width-1-d.label-times-2, mostBar)
	if d.bar < leastBar {
		d.bar = 0
	}
}

// header returns the names of the columns, with the whole time at the end of the bars.
func (d *drawing) header() string {
	line := fmt.Sprintf("%s  %*s  %*s", console.Pad("    step", d.label), timeColumns, "start", timeColumns, "took")
	if d.bar > 0 {
		line += fmt.Sprintf("  0%*s", d.bar-1, console.Took(d.axis.worked(d.axis.to)))
	}
	return console.Cut(line, d.width-1) + "\n"
}

// line returns the line of a row: the sign, the label, the start, the duration and the bar.
func (d *drawing) line(r row) string {
	mark, style := Sign(r.status)
	if r.status == "" && r.state == "" {
		mark = " " // a row that counts others has no sign
	}
	lead := strings.Repeat(" ", indent(r.depth)-2)
	room, label := d.width-1-indent(r.depth), console.Pad(console.Printable(r.label), d.label-indent(r.depth))
	var text string
	switch {
	case r.state != "":
		text = console.Cut(label+"  "+console.Printable(r.state), room)
	case r.from.IsZero():
		text = console.Cut(label, room)
	default:
		text = console.Cut(fmt.Sprintf("%s  %*s  %*s", label, timeColumns, offset(r.from.Sub(d.startedAt)), timeColumns, lasted(r)), room)
	}
	if d.bar > 0 && r.state == "" {
		text += "  " + d.page.Style(style, d.axis.bar(r.from, r.to, d.bar))
	}
	return strings.TrimRight(lead+d.page.Style(style, mark)+" "+text, " ") + "\n"
}

// offset returns the time since the start of the run as text.
func offset(d time.Duration) string {
	if d < time.Millisecond {
		return "0 ms"
	}
	return console.Took(d)
}

// lasted returns the duration of a row; "-" if it was interrupted, because its end is unknown.
func lasted(r row) string {
	if r.to.IsZero() {
		return "-"
	}
	return console.Took(r.to.Sub(r.from))
}

// axis returns the axis of the whole run, up to now if it is running.
func (v *View) axis() axis {
	a := axis{span: span{v.history.startedAt, v.history.last}}
	if v.live() {
		a.to = v.now
	}
	for _, m := range v.history.marks {
		if m.kind == run.EventResumed || m.kind == run.EventRetried {
			a.idle = append(a.idle, span{m.at.Add(-m.idle), m.at})
		}
	}
	return a
}
