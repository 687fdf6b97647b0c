package console

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "<1 ms", 900 * time.Microsecond: "<1 ms", 12 * time.Millisecond: "12 ms", 1500 * time.Millisecond: "1.5 s",
		61500 * time.Millisecond: "1m2s", 26 * time.Hour: "26h0m0s",
	} {
		if got := Took(d); got != want {
			t.Errorf("Took(%v): got %q, want %q", d, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "just now", -time.Second: "just now", time.Second: "1 second ago", 59 * time.Second: "59 seconds ago", 90 * time.Second: "1 minute ago",
		3 * time.Hour: "3 hours ago", 47 * time.Hour: "1 day ago", 100 * 24 * time.Hour: "100 days ago",
	} {
		if got := Ago(d); got != want {
			t.Errorf("Ago(%v): got %q, want %q", d, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  string
	}{
		{"short", 5, "short"},
		{"shorter", 5, "shor…"},
		{"日本語です", 10, "日本語です"},
		{"日本語です", 7, "日本語…"},
		{"日本語です", 6, "日本…"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"anything", 1, "…"},
		{"anything", 0, ""},
		{"anything", -3, ""},
	} {
		if got := Cut(test.text, test.width); got != test.want {
			t.Errorf("Cut(%q, %d): got %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"one two three", 8, []string{"one two", "three"}},
		{"onetwothree four", 6, []string{"onetwo", "three", "four"}},
		{"first\nsecond", 80, []string{"first", "second"}},
		{"", 10, []string{""}},
	} {
		if diff := cmp.Diff(test.want, Wrap(test.text, test.width)); diff != "" {
			t.Errorf("Wrap(%q, %d) differs (-want +got):\n%s", test.text, test.width, diff)
		}
	}
}

// TestPrintable: the text of another service cannot control the terminal.
func TestPrintable(t *testing.T) {
	if got, want := Printable("a\x1b[2Jb\tc\r\nd"), "a\ufffd[2Jb c\ufffd\ufffdd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{"/var/lib/pdflow": "/var/lib/pdflow", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'"} {
		if got := ShellWord(text); got != want {
			t.Errorf("ShellWord(%q): got %s, want %s", text, got, want)
		}
	}
}
