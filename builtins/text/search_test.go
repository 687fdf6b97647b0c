package text

import (
	"context"
	"errors"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// patternParts make patterns in which the surrounding characters matter, empty matches
// occur, and captures take no part.
var patternParts = []string{
	"a", "b", "é", ".", "^", "$", `\A`, `\z`, `\b`, `\B`, "(a)", "(b)?", "(?:ab|a)", "(a|(b))*", "a*", "a*?", "b+", "[^a]", "(?s:.)", "(?m:^)",
	"(?m:$)", "()", `\Qa.\E`, "(?i:A)", "|", "(?P<n>b)", "a{2}", `\pL`, "\n",
}

func randomText(random *rand.Rand, parts []string, most int) string {
	var b strings.Builder
	for range random.IntN(most + 1) {
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return b.String()
}

// TestSearchFindsWhatRegexpFinds checks that a search by characters finds the matches of
// package regexp.
func TestSearchFindsWhatRegexpFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		source := randomText(random, patternParts, 5)
		text := randomText(random, []string{"a", "b", "é", "\n", " ", "a.", "_", "\U0001F600"}, 12)
		p, err := newPattern(source)
		if err != nil {
			continue // such as a**
		}
		sameAsRegexp(t, p, text)
		re := regexp.MustCompile(source)
		template := randomText(random, []string{"$", "$", "{", "}", "1", "2", "n", "x", "é", "$1", "${n}", "$$"}, 8)
		replaced, err := actiontest.Call(Actions(), action.Scope{}, "text.replace", object{"text": text, "pattern": source, "with": template})
		if want := re.ReplaceAllString(text, template); err != nil || replaced["text"] != want {
			t.Fatalf("%q in %q replaced with %q: got %q, %v, want %q", source, text, template, replaced["text"], err, want)
		}
		literal, err := actiontest.Call(Actions(), action.Scope{}, "text.replace", object{"text": text, "pattern": source, "with": template, "literal": true})
		if want := strings.ReplaceAll(text, source, template); err != nil || literal["text"] != want {
			t.Fatalf("%q in %q replaced with %q: got %q, %v, want %q", source, text, template, literal["text"], err, want)
		}
	}
}

// sameAsRegexp compares a search by characters with package regexp.
func sameAsRegexp(t *testing.T, p *pattern, text string) {
	t.Helper()
	var got [][]int
	s := &search{ctx: t.Context(), pattern: p, text: text}
	if err := s.eachByCharacters(func(place []int) error { got = append(got, place); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.FindAllStringSubmatchIndex(text, -1), got); diff != "" {
		t.Fatalf("%q in %q (-want +got):\n%s", p, text, diff)
	}
	first, err := s.from(0)
	if diff := cmp.Diff(p.FindStringSubmatchIndex(text), first); diff != "" || err != nil {
		t.Fatalf("the first %q in %q: %v (-want +got):\n%s", p, text, err, diff)
	}
}

// FuzzSearch compares searches by characters with package regexp, for any pattern.
func FuzzSearch(f *testing.F) {
	for _, part := range patternParts {
		f.Add(part, "aab\néa b")
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		p, err := newPattern(source)
		if err != nil || p.work(int64(len(text))*int64(len(text)+1)) > smallSearch {
			return
		}
		sameAsRegexp(t, p, text)
	})
}

// TestSearchInLargeTexts checks the matches in texts that are read by characters.
func TestSearchInLargeTexts(t *testing.T) {
	text := strings.Repeat("host db-07 is down\n", 10_000)
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{
			Action: "text.match", Input: object{"text": strings.Repeat("-", maxSearched-5) + "db-07", "pattern": `(\w+)-(\d+)$`},
			Want: object{"match": "db-07", "captures": []any{"db", "07"}, "named": object{}},
		},
		{Action: "text.replace", Input: object{"text": text, "pattern": `(?m)^host (\w+)-\d+`, "with": "$1"}, Want: object{"text": strings.Repeat("db is down\n", 10_000)}},
	})
	got, err := actiontest.Call(Actions(), action.Scope{}, "text.find_all", object{"text": text, "pattern": `\w+-(\d+)`})
	if matches, _ := got["matches"].([]any); err != nil || len(matches) != 10_000 || matches[9_999] != "db-07" {
		t.Errorf("got %d matches, %v", len(matches), err)
	}
}

// TestPatternBounds checks that a search that would take too much time or memory is
// refused, and that the error says the bound or what to do.
func TestPatternBounds(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{Action: "text.match", Input: object{"text": a(maxSearched + 1), "pattern": "b"}, Kind: action.Limit, Says: "at most 4194304 are allowed for a search"},
		{Action: "text.match", Input: object{"text": "", "pattern": "(?:a?){900}b"}, Want: object{"captures": []any{}, "named": object{}}},
		{Action: "text.match", Input: object{"text": "", "pattern": "(?:[^a]{990}){1}" + strings.Repeat(`\pL{900}`, 5)}, Kind: action.Limit, Says: "at most 5000 are allowed"},
		{Action: "text.match", Input: object{"text": "", "pattern": "(((a(b?)c){10}){10}){10}"}, Kind: action.Limit, Says: "use smaller counts"},
		{Action: "text.match", Input: object{"text": "", "pattern": "(?:a{1000}){1000}"}, Kind: action.InvalidInput, Says: "is wrong"},
		{Action: "text.find_all", Input: object{"text": a(60_000), "pattern": "(?s)a(?:.*END)?"}, Kind: action.Limit, Says: "takes too long"},
		{Action: "text.find_all", Input: object{"text": a(99_000), "pattern": strings.Repeat("()", 480) + "a"}, Kind: action.Limit, Says: "more than 200000 texts"},
		{Action: "text.replace", Input: object{"text": a(30_000), "pattern": "(?s)(.*)", "with": strings.Repeat("$1", 400_000)}, Kind: action.Limit, Says: "more than 1000 dollar signs"},
		{Action: "text.replace", Input: object{"text": a(30_000), "pattern": "(?s)(.*)", "with": strings.Repeat("$1", 1000)}, Kind: action.Limit, Says: "longer than 4194304"},
		{Action: "text.replace", Input: object{"text": a(100_000), "pattern": "(b?)a", "with": strings.Repeat("$1", 1000)}, Kind: action.Limit, Says: "takes too long"},
		{Action: "text.replace", Input: object{"text": a(100_000), "pattern": "a", "with": a(50), "literal": true}, Kind: action.Limit, Says: "longer than 4194304"},
		{Action: "text.replace", Input: object{"text": a(100_001), "pattern": "a", "with": "", "literal": true}, Kind: action.Limit, Says: "more than 100000 matches"},
		{Action: "text.replace", Input: object{"text": a(1000), "pattern": a(1001), "with": ""}, Kind: action.InvalidInput, Says: "at most 1000"},
		{Action: "text.trim", Input: object{"text": "b", "characters": strings.Repeat("é", 1001)}, Kind: action.InvalidInput, Says: "at most 1000"},
		{Action: "text.trim", Input: object{"text": "éb-é", "characters": strings.Repeat("é", 999) + "-"}, Want: object{"text": "b"}},
		{Action: "text.truncate", Input: object{"text": a(10), "length": 5.0, "ending": a(1001)}, Kind: action.InvalidInput, Says: "at most 1000"},
	})
}

// TestPatternSize checks that the computed size is at least the size of the program.
func TestPatternSize(t *testing.T) {
	for _, source := range []string{"", "a", "abc", "(?:a?){900}b", "[a-z]{10,20}", "x{3,}", "x{0,}", "(a|b|cd)*", "(?i)abc|def", `^\b()+?(a{2,3}){2,30}$`} {
		p, err := newPattern(source)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := syntax.Parse(source, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		program, err := syntax.Compile(tree.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		if got := int64(len(program.Inst)); p.size < got || p.size > 2*got+10 {
			t.Errorf("%q: got a size of %d, want that of its program, %d", source, p.size, got)
		}
	}
}

// TestLargePatternsAreNotKept checks that the cache keeps no pattern of megabytes.
func TestLargePatternsAreNotKept(t *testing.T) {
	cache := newPatternCache()
	for _, source := range []string{"a{1000}b{1000}c{400}", strings.Repeat(`\pL`, 20)} {
		if _, err := cache.compile(source); err != nil {
			t.Error(err)
		}
	}
	if len(cache.compiled) != 0 {
		t.Errorf("got %d patterns kept, want none", len(cache.compiled))
	}
}

// A patience is a context that is cancelled after a number of calls of Err.
type patience struct {
	context.Context
	asked, most int
}

func (p *patience) Err() error {
	if p.asked++; p.asked > p.most {
		return context.Canceled
	}
	return nil
}

// TestTimeoutsEndSearches checks that a search reads the context again and again, and ends
// soon after the context.
func TestTimeoutsEndSearches(t *testing.T) {
	text := strings.Repeat("x", 100_000)
	for name, input := range map[string]object{
		"text.match":    {"text": text, "pattern": "(?:x?){100}b"},
		"text.find_all": {"text": text, "pattern": "(?s)x(?:.*END)?"},
		"text.replace":  {"text": text, "pattern": "(?s)x(?:.*END)?", "with": "y"},
	} {
		for _, most := range []int{0, 1, 100, 1000} {
			invocation, err := actiontest.Prepare(Actions(), name, input)
			if err != nil {
				t.Fatal(err)
			}
			ctx, end := context.WithCancel(t.Context())
			end()
			asking := &patience{Context: ctx, most: most}
			if _, err := invocation.Do(asking, nil); !errors.Is(err, context.Canceled) || asking.asked > most+2 {
				t.Errorf("%s: got %v after %d calls of Err, want it to end after %d", name, err, asking.asked, most)
			}
		}
	}
}

// A limitedMeter is a meter with a limit.
type limitedMeter struct{ steps, bytes, most int64 }

var errSpent = errors.New("spent")

func (l *limitedMeter) Work(steps int64) error {
	if l.steps += steps; l.steps > l.most {
		return errSpent
	}
	return nil
}

func (l *limitedMeter) Hold(bytes int64) error {
	l.bytes += bytes
	return nil
}

// TestWorkIsMetered checks that a search counts its work at the meter, the same amount each
// time.
func TestWorkIsMetered(t *testing.T) {
	input := object{"text": strings.Repeat("x", 60_000), "pattern": "(?s)x(?:.*END)?"}
	for range 2 {
		invocation, err := actiontest.Prepare(Actions(), "text.find_all", input)
		if err != nil {
			t.Fatal(err)
		}
		meter := &limitedMeter{most: 1_000_000}
		_, err = invocation.Do(action.WithMeter(t.Context(), meter), nil)
		if !errors.Is(err, errSpent) || meter.steps > 1_001_000 || meter.bytes == 0 {
			t.Errorf("got %v after %d steps and %d bytes, want an end at 1000000", err, meter.steps, meter.bytes)
		}
	}
}
