package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	// maxDepth is how deep details may nest. PagerDuty documents no limit, and a person does not read deeper.
	maxDepth = 32
	// maxNotes is how many notes an event carries.
	maxNotes = 20
	// maxReplaced is how many parts of one value are replaced by notes, before the value is.
	maxReplaced = 20
	// overhead is more than the names of the fields of a body and the service key take.
	overhead = 1000
)

// details returns details that PagerDuty takes, with the notes and with the whole of a text that was
// shortened. used is the size of the other fields.
func (f *fitting) details(given map[string]any, whole, wholeName string, used int) map[string]any {
	c := cleaner{fitting: f}
	var details map[string]any
	if given != nil {
		details = c.object(given, 0)
	}
	room := MaxBytes - overhead - used
	if len(f.notes) > 0 {
		room -= size(f.bounded()) + overhead
	}
	if n := size(details); n > room {
		f.note("details: shortened from %s bytes", grouped(n))
		room -= overhead // for the note
		details, _ = shrink(details, room, "details").(map[string]any)
	}
	if len(f.notes) == 0 {
		return details
	}
	if details == nil {
		details = map[string]any{}
	}
	if left := room - size(details) - overhead; whole != "" && left > 2*MaxText {
		if size(whole) > left {
			whole = clip(whole, left/6) // a character takes at most six bytes of JSON
		}
		details[free(details, wholeName)] = whole
	}
	notes := make([]any, 0, maxNotes+1)
	for _, note := range f.bounded() {
		notes = append(notes, note)
	}
	details[free(details, "pdflow_notes")] = notes
	return details
}

// bounded returns the notes as they are sent and logged: the first of them, and how many more there are.
func (f *fitting) bounded() []string {
	if len(f.notes) <= maxNotes+1 {
		return f.notes
	}
	return append(slices.Clip(f.notes[:maxNotes]), fmt.Sprintf("and %s more changes", grouped(len(f.notes)-maxNotes)))
}

// free returns a name that an object does not have.
func free(o map[string]any, name string) string {
	for {
		if _, taken := o[name]; !taken {
			return name
		}
		name += "_"
	}
}

// size returns the size of a value as JSON, as encoding/json writes it. It does not write it: the values may
// be large, and their parts are measured too.
func size(v any) int {
	switch v := v.(type) {
	case string:
		return textSize(v)
	case map[string]any:
		n := max(len(v), 1) + 1 // braces and commas
		for name, field := range v {
			n += textSize(name) + 1 + size(field)
		}
		return n
	case []any:
		n := max(len(v), 1) + 1
		for _, item := range v {
			n += size(item)
		}
		return n
	}
	text, _ := json.Marshal(v)
	return len(text)
}

// textSize returns the size of a text as JSON.
func textSize(text string) int {
	n := len(text) + 2
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t', c == '\b', c == '\f':
			n++
		case c < ' ', c == '<', c == '>', c == '&':
			n += 5
		case c == 0xe2 && (strings.HasPrefix(text[i:], "\u2028") || strings.HasPrefix(text[i:], "\u2029")):
			n += 3
		}
	}
	return n
}

// left is the note in place of a value that was left out.
func left(bytes int) string { return fmt.Sprintf("(%s bytes, left out)", grouped(bytes)) }

// shrink returns a value of at most most bytes of JSON. It replaces the largest parts by notes with their
// size. An object stays an object.
func shrink(v any, most int, name string) any {
	total := size(v)
	if total <= most {
		return v
	}
	var parts []part
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, part{name: name, size: size(v[name])})
		}
	case []any:
		for i := range v {
			parts = append(parts, part{index: i, size: size(v[i])})
		}
	default:
		return left(total)
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(b.size, a.size) })
	shrunk := clone(v)
	for n, p := range parts {
		over := total - most
		if over <= 0 {
			return shrunk
		}
		if n == maxReplaced {
			break
		}
		smaller := shrink(p.of(shrunk), max(p.size-over, 0), "")
		p.set(shrunk, smaller)
		total += size(smaller) - p.size
	}
	switch {
	case total <= most:
		return shrunk
	case name != "":
		return map[string]any{name: left(size(v))}
	}
	return left(size(v))
}

// A part is a field of an object or an item of a list.
type part struct {
	name  string
	index int
	size  int
}

func (p part) of(v any) any {
	if o, ok := v.(map[string]any); ok {
		return o[p.name]
	}
	return v.([]any)[p.index]
}

func (p part) set(v, to any) {
	if o, ok := v.(map[string]any); ok {
		o[p.name] = to
		return
	}
	v.([]any)[p.index] = to
}

func clone(v any) any {
	if o, ok := v.(map[string]any); ok {
		return maps.Clone(o)
	}
	return slices.Clone(v.([]any))
}

// A cleaner makes a value that JSON can hold.
type cleaner struct {
	*fitting
	told map[string]bool // notes that were made
}

// once notes a change of details, each kind of change once.
func (c *cleaner) once(text string) {
	if c.told == nil {
		c.told = map[string]bool{}
	}
	if !c.told[text] {
		c.told[text] = true
		c.note("details: %s", text)
	}
}

func (c *cleaner) value(v any, depth int) any {
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		return c.text(v)
	case float64:
		if _, err := json.Marshal(v); err != nil {
			c.once("a number that JSON cannot hold became text")
			return fmt.Sprint(v)
		}
		return v
	case map[string]any, []any:
		if depth >= maxDepth {
			c.once(fmt.Sprintf("what nests deeper than %d levels is left out", maxDepth))
			return "(nested too deeply)"
		}
		if o, ok := v.(map[string]any); ok {
			return c.object(o, depth)
		}
		list := slices.Clone(v.([]any))
		for i := range list {
			list[i] = c.value(list[i], depth+1)
		}
		return list
	}
	return c.other(v)
}

// other returns a value that is not one of JSON's: a secret as its mask, another type of Go as JSON if
// it can be written, and else a note.
func (c *cleaner) other(v any) any {
	if masked, ok := v.(fmt.Stringer); ok {
		c.once("a secret or another value became text")
		return c.text(masked.String())
	}
	var plain any
	if text, err := json.Marshal(v); err == nil && json.Unmarshal(text, &plain) == nil {
		return plain
	}
	c.once("a value that JSON cannot hold became text")
	return fmt.Sprintf("(a %T)", v)
}

func (c *cleaner) text(text string) string {
	clean := valid(text)
	if clean != text {
		c.once("bytes that are not UTF-8 text are replaced")
	}
	return clean
}

// object cleans the fields. Two names that differ only in bytes that are not text stay two.
func (c *cleaner) object(given map[string]any, depth int) map[string]any {
	o := make(map[string]any, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		o[free(o, c.text(name))] = c.value(given[name], depth+1)
	}
	return o
}

// textOf returns a value as text: a number as it is written, an object or a list as JSON.
func textOf(v any) string {
	if v == nil {
		return ""
	}
	if text, ok := v.(string); ok {
		return text // with its bytes: a key is hashed
	}
	clean := (&cleaner{fitting: &fitting{}}).value(v, 0)
	if s, ok := clean.(string); ok {
		return s
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(clean); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
