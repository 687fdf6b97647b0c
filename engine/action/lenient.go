package action

import (
	"context"
	"fmt"

	"github.com/pdflow/pdflow/engine/phrase"
)

// Lenient is embedded in the input struct of an action that refuses no input which a run
// has computed: what does not fit must be made to fit, because the call matters more than
// its form. A page is such a call.
//
// The schema of a lenient action still says what an author should write, and a file is
// checked against it. In a run, the input is recorded as it was given, a field of the
// struct is set if the value has its type, and the action makes what it sends of
// [Lenient.Given]. Only [Rules.Validate] can refuse the input.
type Lenient struct{ given Object }

// Given returns the whole input, without null fields. The action must not change it.
func (l *Lenient) Given() Object { return l.given }

func (l *Lenient) give(input Object) { l.given = input }

// A lenientInput is a pointer to a struct that embeds [Lenient].
type lenientInput interface{ give(Object) }

// isLenient reports whether an input struct embeds [Lenient].
func isLenient[In any]() bool {
	_, ok := any(new(In)).(lenientInput)
	return ok
}

// A Note stands in the input of a lenient action for what is not data, such as a function.
// It says what was there.
type Note string

// WithoutNotes returns an input in which notes are text, and the places of the notes.
func WithoutNotes(input Object) (Object, []string) {
	var places []string
	plain, _ := plainNotes(input, "", &places).(Object)
	return plain, places
}

func plainNotes(v any, path string, places *[]string) any {
	switch v := v.(type) {
	case Note:
		*places = append(*places, path+" "+string(v))
		return "(" + string(v) + ")"
	case []any:
		for i := range v {
			v[i] = plainNotes(v[i], fmt.Sprintf("%s[%d]", path, i+1), places)
		}
	case Object:
		for _, name := range phrase.Names(v) {
			at := path + "." + name
			if path == "" {
				at = name
			}
			v[name] = plainNotes(v[name], at, places)
		}
	}
	return v
}

// Warn logs a warning of the call whose context is ctx, if it belongs to a run.
func Warn(ctx context.Context, message string) {
	if log := ScopeOf(ctx).Log; log != nil {
		log(LogRecord{Level: "warn", Message: message})
	}
}
