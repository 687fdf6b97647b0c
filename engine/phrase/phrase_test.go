package phrase_test

import (
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine/phrase"
)

// TestNearest shows which misspelled words are near a known one.
func TestNearest(t *testing.T) {
	known := []string{"incident_key", "email", "name", "net"}
	for word, want := range map[string]string{
		"incident_kye": "incident_key", "emial": "email", "mail": "email", "nmae": "name", "": "", "completely": "", "ten": "net",
	} {
		if got := phrase.Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for f, want := range map[float64]string{5: "5", -0.5: "-0.5", 1e15: "1000000000000000", 1 << 53: "9007199254740992", 1e300: "1e+300"} {
		if got := phrase.Number(f); got != want {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
}

// TestNearestWords proves which words are near enough to be suggested.
func TestNearestWords(t *testing.T) {
	for _, test := range []struct{ word, candidate string }{
		{"ab", "ba"}, {"nmae", "name"}, {"retries", "retry"}, {"incidentKey", "incident_key"}, {"get_user_by_mail", "get_user_by_email"}, {"id", "ids"},
	} {
		if got := phrase.Nearest(test.word, []string{"zzzzzzzzzzzz", test.candidate}); got != test.candidate {
			t.Errorf("%s: got %q, want %q", test.word, got, test.candidate)
		}
	}
	for _, test := range []struct{ word, candidate string }{
		{"a", "b"}, {"", "x"}, {"ok", "id"}, {"name", "uses"}, {"x", "xyz"},
	} {
		if got := phrase.Nearest(test.word, []string{test.candidate}); got != "" {
			t.Errorf("%s: got %q, want nothing", test.word, got)
		}
	}
	if got, want := phrase.DidYouMean("emial", []string{"email", "name"}), `did you mean "email"?`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Of two equally near candidates, the first in the alphabet is returned.
	if got := phrase.Nearest("bat", []string{"cat", "bar"}); got != "bar" {
		t.Errorf("got %s, want bar", got)
	}
}

// TestBytes proves that a size is written in the largest unit that divides it,
// and is read back as the same number.
func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 1000: "1000 bytes", 1 << 10: "1KB", 1536: "1536 bytes", 64 << 20: "64MB", 3 << 30: "3GB", 2048 << 30: "2048GB"} {
		got := phrase.Bytes(n)
		if got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
		if back, ok := phrase.ParseBytes(got); ok && back != float64(n) {
			t.Errorf("%s: got %v back, want %d", got, back, n)
		}
	}
	for text, want := range map[string]float64{"1.5 kb": 1536, "64MB": 64 << 20, "2gb": 2 << 30} {
		if got, ok := phrase.ParseBytes(text); !ok || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "5", "MB", "x KB", "5 TB"} {
		if got, ok := phrase.ParseBytes(text); ok {
			t.Errorf("%q: got %v, want a refusal", text, got)
		}
	}
}

// TestDurations proves what a duration may look like in a file or a flag.
func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"5s": 5 * time.Second, "1h30m": 90 * time.Minute, "1d": 24 * time.Hour, "1d12h": 36 * time.Hour, "0s": 0} {
		if got, err := phrase.ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	if got, err := phrase.Seconds(1.5); err != nil || got != 1500*time.Millisecond {
		t.Errorf("got %s, %v", got, err)
	}
	for _, f := range []float64{-1, 1e10} {
		if _, err := phrase.Seconds(f); err == nil {
			t.Errorf("%v seconds are taken", f)
		}
	}
}

// TestClip proves that a text is cut between characters.
func TestClip(t *testing.T) {
	for text, want := range map[string]string{"": "", "äöü": "äöü", "äöüß": "äöü…"} {
		if got := phrase.Clip(text, 3); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestSuggest proves that all names are listed when none is near.
func TestSuggest(t *testing.T) {
	for word, want := range map[string]string{"emial": `did you mean "email"?`, "x": "one of: email, name"} {
		if got := phrase.Suggest(word, []string{"email", "name"}, "one of: "); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}
