package pattern_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/lua/pattern"
)

// A host has a number of steps. It panics with errors.
type host struct{ left int64 }

var errSpent = errors.New("the steps are spent")

func (h *host) Left() int64 { return h.left }

func (h *host) Charge(steps int64) {
	if h.left -= steps; h.left < 0 {
		panic(errSpent)
	}
}

func (h *host) Refund(steps int64) { h.left += steps }

func (h *host) Fail(message string) { panic(errors.New(message)) }

// match returns the first match as "start-end capture capture ...".
func match(subject, p string, steps *host) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			text, err = "", r.(error)
		}
	}()
	var m pattern.Matcher
	m.Reset(steps, subject, p, true)
	start, end := m.Find(0)
	m.Finish()
	if end < 0 {
		return "", nil
	}
	text = fmt.Sprintf("%d-%d", start, end)
	for i := range m.Captures() {
		if c := m.Capture(i); c.Position > 0 {
			text += fmt.Sprintf(" @%d", c.Position)
		} else {
			text += " " + c.Text
		}
	}
	return text, nil
}

// TestMatches: the first match is found with its captures. The tests of package lua
// compare thousands of random patterns with PUC Lua 5.1.
func TestMatches(t *testing.T) {
	for _, test := range []struct{ subject, pattern, want string }{
		{"hello", "l+", "2-4"},
		{"hello", "^l+", ""},
		{"hello", "l-o$", "2-5"},
		{"key=value", "(%w+)=(%w*)", "0-9 key value"},
		{"f(a(b)c)d", "%b()", "1-8"},
		{"THE (quick) fox", "%f[%a]%a+%f[%A]", "0-3"},
		{"abab", "(ab)%1", "0-4 ab"},
		{"abc", "()b()", "1-2 @2 @3"},
		{"x]y", "[]]", "1-2"},
		{"a-z", "[a%-]+", "0-2"},
		{"2026-11-30", "(%d+)-(%d+)-(%d+)", "0-10 2026 11 30"},
		{"", "", "0-0"},
		{"a\x00b", "%z", "1-2"},
	} {
		if got, err := match(test.subject, test.pattern, &host{10_000}); got != test.want || err != nil {
			t.Errorf("%q in %q: got %q, %v, want %q", test.pattern, test.subject, got, err, test.want)
		}
	}
}

// TestMistakes: a mistake in a pattern is an error that says what is wrong.
func TestMistakes(t *testing.T) {
	for p, want := range map[string]string{
		"%": "malformed pattern (ends with '%')", "[a": "malformed pattern (missing ']')", "%bx": "malformed pattern (missing arguments to '%b')",
		"%f": "missing '[' after '%f' in pattern", "(a": "unfinished capture", "a)": "invalid pattern capture", "%1": "invalid capture index",
		strings.Repeat("(", 33): "too many captures",
	} {
		if _, err := match("aaa", p, &host{10_000}); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", p, err, want)
		}
	}
}

// TestStepsEnd: a pattern that would take forever ends with the error of the host, and
// a match that ends early gives back the steps that it did not take.
func TestStepsEnd(t *testing.T) {
	if _, err := match(strings.Repeat("a", 40), strings.Repeat("a*", 20)+"b", &host{100_000}); !errors.Is(err, errSpent) {
		t.Errorf("got %v, want %v", err, errSpent)
	}
	steps := &host{100_000}
	if got, err := match("abc", "b", steps); got != "1-2" || err != nil || steps.left < 99_990 {
		t.Errorf("got %q, %v with %d steps left, want few of them to be used", got, err, steps.left)
	}
}
