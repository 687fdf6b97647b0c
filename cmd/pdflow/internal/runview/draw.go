package runview

import (
	"fmt"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/run"
)

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
