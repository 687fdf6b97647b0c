package action

import (
	"reflect"
	"strconv"
	"strings"
)

// tags are the tags of a struct field; they are listed at [New].
type tags struct {
	name, doc, format, required, secrets string
	bindable                             string
	min, max, enum, defaultText          string
	hasDefault                           bool
}

// tagsOf reads them in one pass, which [reflect.StructTag.Get] makes for each.
// Its form is that of reflect: pairs of a name, a colon and a quoted text.
func tagsOf(tag reflect.StructTag) tags {
	var found tags
	rest := string(tag)
	for {
		rest = strings.TrimLeft(rest, " ")
		name, after, ok := strings.Cut(rest, ":")
		if !ok {
			return found
		}
		quoted, err := strconv.QuotedPrefix(after)
		if err != nil {
			return found
		}
		text, _ := strconv.Unquote(quoted) // it is well formed
		found.set(name, text)
		rest = after[len(quoted):]
	}
}

func (t *tags) set(name, text string) {
	switch name {
	case "json":
		t.name, _, _ = strings.Cut(text, ",")
	case "doc":
		t.doc = text
	case "format":
		t.format = text
	case "required":
		t.required = text
	case "secrets":
		t.secrets = text
	case "bindable":
		t.bindable = text
	case "min":
		t.min = text
	case "max":
		t.max = text
	case "enum":
		t.enum = text
	case "default":
		t.defaultText, t.hasDefault = text, true
	}
}
