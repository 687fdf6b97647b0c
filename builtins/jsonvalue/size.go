package jsonvalue

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
)

// jsonBytesPerStep is how many bytes of JSON are read or written in the time of an
// instruction of a script.
const jsonBytesPerStep = 4

// admitJSON refuses a text that would become more values than may be held, before any
// of them is made: a text of two bytes, [], becomes two hundred.
func admitJSON(ctx context.Context, text string) error {
	values, objects := countJSON(text)
	if values > maxJSONValues {
		err := action.Errorf(action.Limit, "the JSON text has more than %d values", maxJSONValues)
		err.Hint = "ask for less at a time, such as one page of a list"
		return err
	}
	if err := action.Work(ctx, int64(len(text)/jsonBytesPerStep)); err != nil {
		return err
	}
	return action.Hold(ctx, int64(jsonObjectBytes*objects+jsonValueBytes*values))
}

// countJSON returns how many values a JSON text has, and how many of them are objects
// with fields; of other text it returns any numbers.
func countJSON(text string) (values, objects int) {
	values = 1
	opened := byte(0) // the list or the object that began right before
	for at := 0; at < len(text); at++ {
		c := text[at]
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case ',':
			values++
		case '"':
			at = endOfString(text, at)
		}
		if opened != 0 && c != ']' && c != '}' {
			values++
			if opened == '{' {
				objects++
			}
		}
		opened = 0
		if c == '{' || c == '[' {
			opened = c
		}
	}
	return values, objects
}

// endOfString returns where the string ends that begins at a place.
func endOfString(text string, at int) int {
	for at++; at < len(text) && text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at
}

// sizeOfJSON returns how long the JSON text of a value is. It stops counting when that
// is more than a bound.
func sizeOfJSON(v any, pretty bool, most int) int {
	s := jsonSize{pretty: pretty, most: most}
	s.add(v, 1)
	return s.size
}

// A jsonSize counts the bytes of a JSON text without writing it.
type jsonSize struct {
	pretty     bool
	size, most int
}

// add counts a value; what is in it has so many levels around it.
func (s *jsonSize) add(v any, level int) {
	switch v := v.(type) {
	case string:
		s.size += len(`""`) + sizeInJSON(v)
	case []any:
		s.around(len(v), level)
		for _, item := range v {
			if s.add(item, level+1); s.size > s.most {
				return
			}
		}
	case map[string]any:
		s.around(len(v), level)
		for name, field := range v {
			s.size += len(`"":`) + sizeInJSON(name)
			if s.pretty {
				s.size += len(" ")
			}
			if s.add(field, level+1); s.size > s.most {
				return
			}
		}
	default:
		text, _ := json.Marshal(v) // what cannot be written is told of when it is
		s.size += len(text)
	}
}

// around counts what a list or an object has around its values: brackets, commas, and
// where people read it a line and its indentation for each value and the end.
func (s *jsonSize) around(values, level int) {
	s.size += len("[]") + max(values-1, 0)
	if s.pretty && values > 0 {
		s.size += values*(len("\n")+2*level) + len("\n") + 2*(level-1)
	}
}

// sizeInJSON returns how long a text is between the quotes of JSON.
func sizeInJSON(text string) int {
	size := 0
	for at, r := range text {
		switch {
		case r == '"', r == '\\', r == '\b', r == '\f', r == '\n', r == '\r', r == '\t':
			size += len(`\n`)
		case r < ' ', r == '\u2028', r == '\u2029':
			size += len(`\u0000`)
		case r == utf8.RuneError && !strings.HasPrefix(text[at:], string(r)):
			size += len(`\ufffd`) // no UTF-8
		default:
			size += utf8.RuneLen(r)
		}
	}
	return size
}
