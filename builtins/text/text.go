// Package text declares the module text: what Lua's own string library lacks.
//
//   - text.go declares the functions on plain text.
//   - pattern.go declares the functions that take a regular expression.
//   - search.go searches with a regular expression, counts the work, and stops when
//     the call ends or the work becomes too much.
package text

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/pdflow/pdflow/engine/action"
)

const (
	// maxItems is the largest number of parts, lines or matches of a text.
	maxItems = 100_000
	// maxText is the largest size in bytes of a text after a replacement.
	maxText = 4 << 20
)

// Actions returns the actions of the module text.
func Actions() []*action.Action {
	plain := []*action.Action{
		action.New(spec("split", "Split a text at a separator.", "text", "separator"), split),
		action.New(spec("lines", "Split a text into lines, without their ends.", "text"), lines),
		action.New(spec("trim", "Remove white space, or other characters, from both ends.", "text", "characters"), trim),
		action.New(spec("starts_with", "Check whether a text starts with another.", "text", "part"), testOf(strings.HasPrefix)),
		action.New(spec("ends_with", "Check whether a text ends with another.", "text", "part"), testOf(strings.HasSuffix)),
		action.New(spec("contains", "Check whether a text contains another.", "text", "part"), testOf(strings.Contains)),
		action.New(spec("truncate", "Shorten a text to a number of characters.", "text", "length"), truncate, action.Rules[truncateInput]{Validate: (*truncateInput).validate}),
	}
	return append(plain, patternActions()...)
}

func spec(function, summary string, args ...string) action.Spec {
	return action.Spec{Name: "text." + function, Summary: summary, Effect: action.Pure, Args: args, Spread: true}
}

// textOutput is a new text.
type textOutput struct {
	Text string `json:"text" doc:"The new text"`
}

// partsOutput is the parts of a text.
type partsOutput struct {
	Parts []string `json:"parts" doc:"The parts, in order"`
}

type splitInput struct {
	Text      string `json:"text" required:"true" doc:"The text"`
	Separator string `json:"separator" required:"true" min:"1" doc:"The text between the parts, as plain text"`
}

func split(_ context.Context, in splitInput) (partsOutput, error) {
	return partsOf(strings.SplitN(in.Text, in.Separator, maxItems+1))
}

type linesInput struct {
	Text string `json:"text" required:"true" doc:"The text; lines end with LF or CR LF"`
}

func lines(_ context.Context, in linesInput) (partsOutput, error) {
	text := strings.TrimSuffix(in.Text, "\n")
	if in.Text == "" {
		return partsOutput{}, nil
	}
	lines := strings.SplitN(text, "\n", maxItems+1)
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	return partsOf(lines)
}

func partsOf(parts []string) (partsOutput, error) {
	if len(parts) > maxItems {
		return partsOutput{}, errTooManyItems("parts")
	}
	return partsOutput{Parts: parts}, nil
}

func errTooManyItems(what string) error {
	return action.Errorf(action.Limit, "the text has more than %d %s", maxItems, what)
}

type trimInput struct {
	Text       string `json:"text" required:"true" doc:"The text"`
	Characters string `json:"characters" max:"1000" doc:"The characters to remove; white space when absent"`
}

func trim(_ context.Context, in trimInput) (textOutput, error) {
	if in.Characters == "" {
		return textOutput{Text: strings.TrimSpace(in.Text)}, nil
	}
	return textOutput{Text: strings.TrimFunc(in.Text, oneOf(in.Characters))}, nil
}

// oneOf returns a function that reports whether a character is one of others. Its time
// does not depend on their number.
func oneOf(characters string) func(rune) bool {
	set := make(map[rune]bool)
	for _, r := range characters {
		set[r] = true
	}
	return func(r rune) bool { return set[r] }
}

type testInput struct {
	Text string `json:"text" required:"true" doc:"The text"`
	Part string `json:"part" required:"true" doc:"The other text; case counts"`
}

type testOutput struct {
	Result bool `json:"result" doc:"True if it does"`
}

func testOf(test func(text, part string) bool) func(context.Context, testInput) (testOutput, error) {
	return func(_ context.Context, in testInput) (testOutput, error) {
		return testOutput{Result: test(in.Text, in.Part)}, nil
	}
}

type truncateInput struct {
	Text   string `json:"text" required:"true" doc:"The text"`
	Length int    `json:"length" required:"true" doc:"The most characters that the new text may have, with its ending"`
	Ending string `json:"ending" default:"…" max:"1000" doc:"What a shortened text ends with"`
}

func (in *truncateInput) validate() error {
	if in.Length < 0 {
		return action.Errorf(action.InvalidInput, `"length" must be 0 or more, got %d`, in.Length)
	}
	return nil
}

func truncate(_ context.Context, in truncateInput) (textOutput, error) {
	if placeAfter(in.Text, in.Length) == len(in.Text) {
		return textOutput{Text: in.Text}, nil
	}
	ending := in.Ending[:placeAfter(in.Ending, in.Length)]
	kept := in.Length - utf8.RuneCountInString(ending)
	return textOutput{Text: in.Text[:placeAfter(in.Text, kept)] + ending}, nil
}

// placeAfter returns the byte offset after a number of characters, or the length of a
// shorter text.
func placeAfter(text string, characters int) int {
	for at := range text {
		if characters == 0 {
			return at
		}
		characters--
	}
	return len(text)
}
