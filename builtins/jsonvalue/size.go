package jsonvalue

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
)

// bytesPerStep is the number of bytes of JSON that are read or written in the time of an
// instruction of a script.
const bytesPerStep = 4

// admit refuses a text that has too many values, and counts the work and memory of decoding
// it, before any value is made: the two bytes [] become about two hundred bytes.
func admit(ctx context.Context, text string) error {
	values, objects := count(text)
	if values > maxValues {
		err := action.Errorf(action.Limit, "the JSON text has more than %d values", maxValues)
		err.Hint = "ask for less at a time, such as one page of a list"
		return err
	}
	if err := action.Work(ctx, int64(len(text)/bytesPerStep)); err != nil {
		return err
	}
	return action.Hold(ctx, int64(objectBytes*objects+valueBytes*values))
}

// count returns the number of values of a JSON text, and the number of objects with fields
// among them. For text that is not JSON the numbers mean nothing.
func count(text string) (values, objects int) {
	values = 1
	opened := byte(0) // the bracket, when it was the last character
	for at := 0; at < len(text); at++ {
		c := text[at]
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case ',':
			values++
		case '"':
			at = stringEnd(text, at)
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

// stringEnd returns the offset of the quote that ends the string at an offset.
func stringEnd(text string, at int) int {
	for at++; at < len(text) && text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at
}

// sizeOf returns the length of the JSON text of a value in bytes. It stops counting above
// a bound.
func sizeOf(v any, pretty bool, most int) int {
	s := sizer{pretty: pretty, most: most}
	s.add(v, 1)
	return s.size
}

// A sizer counts the bytes of a JSON text without writing the text.
type sizer struct {
	pretty     bool
	size, most int
}

// add counts a value. level is the number of lists and objects around its items, and
// itself.
func (s *sizer) add(v any, level int) {
	switch v := v.(type) {
	case string:
		s.size += len(`""`) + textSize(v)
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
			s.size += len(`"":`) + textSize(name)
			if s.pretty {
				s.size += len(" ")
			}
			if s.add(field, level+1); s.size > s.most {
				return
			}
		}
	default:
		text, _ := json.Marshal(v) // Marshal returns the error of a value that cannot be written
		s.size += len(text)
	}
}

// around counts the brackets and commas of a list or an object, and in a pretty text the
// line break and indentation of each value and of the end.
func (s *sizer) around(values, level int) {
	s.size += len("[]") + max(values-1, 0)
	if s.pretty && values > 0 {
		s.size += values*(len("\n")+2*level) + len("\n") + 2*(level-1)
	}
}

// textSize returns the length of a text in JSON, without the quotes.
func textSize(text string) int {
	size := 0
	for at, r := range text {
		switch {
		case r == '"', r == '\\', r == '\b', r == '\f', r == '\n', r == '\r', r == '\t':
			size += len(`\n`)
		case r < ' ', r == '\u2028', r == '\u2029':
			size += len(`\u0000`)
		case r == utf8.RuneError && !strings.HasPrefix(text[at:], string(r)):
			size += len(`\ufffd`) // not UTF-8
		default:
			size += utf8.RuneLen(r)
		}
	}
	return size
}
