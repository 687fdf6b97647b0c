package runview

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/attempt"
)

// maxShownBody is how many bytes of a body people are shown. The JSON output has the whole body.
const maxShownBody = 2000

// CountRequests returns the number of requests of writes.
func CountRequests(writes []attempt.Write) int {
	n := 0
	for _, w := range writes {
		n += len(w.Requests)
	}
	return n
}

// WritesText returns writes for people.
func WritesText(writes []attempt.Write) string {
	if len(writes) == 0 {
		return "nothing would be sent\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "would send %s:\n", console.Plural(CountRequests(writes), "request"))
	n := 0
	for _, w := range writes {
		where := "step " + w.Step
		if w.Item > 0 {
			where += fmt.Sprintf(", item %d", w.Item)
		}
		for _, r := range w.Requests {
			n++
			fmt.Fprintf(&b, "%3d  %s  (%s)\n", n, w.Action, where)
			fmt.Fprintf(&b, "     %s %s\n", r.Method, console.Printable(r.URL))
			if r.From != "" {
				fmt.Fprintf(&b, "     From: %s\n", console.Printable(r.From))
			}
			if w.Key != "" {
				fmt.Fprintf(&b, "     key: %s\n", w.Key)
			}
			if body := bodyText(r.Body); body != "" {
				b.WriteString("     " + strings.ReplaceAll(body, "\n", "\n     ") + "\n")
			}
		}
	}
	return b.String()
}

// bodyText returns a body for people. Long JSON is indented.
func bodyText(body string) string {
	const line = 80
	var indented bytes.Buffer
	if len(body) > line && json.Indent(&indented, []byte(body), "", "  ") == nil {
		body = indented.String()
	}
	if len(body) > maxShownBody {
		total := len(body)
		body = strings.ToValidUTF8(body[:maxShownBody], "") + fmt.Sprintf("\n... (%d bytes in all; -o json shows them)", total)
	}
	return console.PrintableLines(body)
}
