package runbooktest

import (
	"slices"
	"strings"
	"testing"
)

// TestSplitWords: spaces separate words, quotes join them, and nothing else has a meaning.
func TestSplitWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                           nil,
		"  run\tw.yaml \r":           {"run", "w.yaml"},
		"run 'a b'c'd e'":            {"run", "a bcd e"},
		"run '' 'it''s'":             {"run", "", "it's"},
		"stdout '#' # a comment":     {"stdout", "#"},
		"cmp stdout a.txt#b":         {"cmp", "stdout", "a.txt"},
		"run $HOME ${x} \\n \"a b\"": {"run", "$HOME", "${x}", "\\n", `"a`, `b"`},
	} {
		if got, err := splitWords(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"run 'a", "'", "run 'a''"} {
		if got, err := splitWords(text); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
}

// TestA3NotATest: what is said of a file that is not a test quotes nothing of it. A test with
// a mistake is told which.
func TestA3NotATest(t *testing.T) {
	const secret = "Tr0ub4dor"
	for name, text := range map[string]string{
		"a key":             "u+" + secret + "\n",
		"passwords":         "root:" + secret + ":19000\ndaemon:*:19000\n",
		"variables":         "export TOKEN=" + secret + "\n",
		"a PEM key":         "-----BEGIN PRIVATE KEY-----\n" + secret + "\n-----END PRIVATE KEY-----\n",
		"comments":          "# " + secret + "\n# " + secret + "\n",
		"a marker":          "-- ../" + secret + " --\n",
		"a quote":           "'" + secret + "\n",
		"a command, then":   "run w.yaml\n" + secret + " = 1\n",
		"a negated word":    "! " + secret + "\n",
		"a condition":       "[" + secret + "] run w.yaml\n",
		"the end of a line": "exec " + secret + "\n",
		"not text":          "\x00\xff" + secret + "\n",
		"nothing":           "",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseScript("x.test.txtar", []byte(text))
			if err == nil || !strings.HasPrefix(err.Error(), "x.test.txtar:") || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v, want an error with a place and without the text", err)
			}
		})
	}
	for text, want := range map[string]string{
		"incident\n":                   `x.test.txtar:1: "incident" is not a command of tests (did you mean "incidents"?)`,
		"run w.yaml\n\nmkdir x\n":      `x.test.txtar:3: "mkdir" is not a command of tests (known: account,`,
		"run a\n-- a --\nb\n-- /c --":  `x.test.txtar:4: "/c" is not a name of a file inside the test`,
		"run a\n-- a --\n-- ../c --\n": `x.test.txtar:3: "../c" is not a name`,
	} {
		if _, err := parseScript("x.test.txtar", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// FuzzScript: every file is a script or an error, a script can be written and read again, and
// every word that is quoted is read back.
func FuzzScript(f *testing.F) {
	f.Add("run w.yaml -i 'a b'\ncmp stdout x.txt # c\n-- x.txt --\nx\n", "it's # a $word")
	f.Add("! run 'it''s'\r\n-- a/../b --\n-- c --", "")
	f.Fuzz(func(t *testing.T, text, word string) {
		if !strings.Contains(word, "\n") {
			if got, err := splitWords("run " + scriptWord(word) + " x"); err != nil || len(got) != 3 || got[1] != word {
				t.Errorf("the word %q became %q, %v", word, got, err)
			}
		}
		s, err := parseScript("x.test.txtar", []byte(text))
		if err != nil {
			return
		}
		again, err := parseScript("x.test.txtar", s.format())
		if err != nil || len(again.lines) < len(s.lines) || len(again.archive.Files) != len(s.archive.Files) {
			t.Errorf("%q was read, and then %q was not: %v", text, s.format(), err)
		}
	})
}
