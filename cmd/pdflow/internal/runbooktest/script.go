package runbooktest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/rogpeppe/go-internal/txtar"
)

// A script is a test file: its lines, and the files that it holds.
//
// A line is a word and its arguments, separated by spaces. `!` before the word expects the opposite. Text
// in single quotes is one argument, and two quotes in it are one quote. An unquoted # begins a comment. A
// line that begins with # begins a section. There are no variables and no conditions: an argument is the
// text that stands there.
type script struct {
	file    string // as messages show it
	lines   []line
	archive *txtar.Archive
	updated bool // a file of the archive was changed
}

// A line is a line of a script. It has no words if it is empty or a comment.
type line struct {
	text  string
	not   bool
	words []string
}

// parseScript reads a test file. The file may be any file: a message quotes nothing of it before all of its
// lines are known to be lines of a test.
func parseScript(file string, text []byte) (*script, error) {
	s := &script{file: file, archive: txtar.Parse(text)}
	commands := 0
	for i, text := range strings.Split(string(s.archive.Comment), "\n") {
		l, err := parseLine(text)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		commands += min(len(l.words), 1)
		s.lines = append(s.lines, l)
	}
	if commands == 0 {
		return nil, fmt.Errorf("%s: the file has no command of a test (known: %s)", file, strings.Join(knownWords(), ", "))
	}
	for i, f := range s.archive.Files {
		name, err := ownName(f.Name)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, s.lineOf(i), err)
		}
		s.archive.Files[i].Name = name
	}
	return s, nil
}

// lineOf returns the number of the line that names a file of the archive.
func (s *script) lineOf(file int) int {
	before := txtar.Archive{Comment: s.archive.Comment, Files: s.archive.Files[:file]}
	return 1 + strings.Count(string(txtar.Format(&before)), "\n")
}

// foreignWords are commands of testscript, whose scripts look like tests. A test does not have them because
// they touch the machine.
var foreignWords = []string{
	"cd", "chmod", "cmpenv", "cp", "env", "exec", "exists", "kill", "mkdir", "mv", "rm", "skip", "stdin", "stop", "symlink", "ttyin", "ttyout",
	"unix2dos", "unquote", "wait",
}

func parseLine(text string) (line, error) {
	l := line{text: strings.TrimSuffix(text, "\r")}
	words, err := splitWords(text)
	if err != nil {
		return l, err
	}
	if len(words) > 0 && words[0] == "!" {
		if l.not, words = true, words[1:]; len(words) == 0 {
			return l, errors.New("`!` needs a command after it")
		}
	}
	l.words = words
	if len(words) == 0 {
		return l, nil
	}
	known := knownWords()
	near := phrase.DidYouMean(words[0], known)
	switch word := words[0]; {
	case slices.Contains(known, word):
	case near != "" || slices.Contains(foreignWords, word):
		return l, fmt.Errorf("%q is not a command of tests (%s)", word, cmp.Or(near, "known: "+strings.Join(known, ", ")))
	default: // the file may be anything, so its text is not shown
		return l, fmt.Errorf("the line does not begin with a command of tests (known: %s)", strings.Join(known, ", "))
	}
	if strings.HasPrefix(words[len(words)-1], "&") {
		return l, errors.New("a test cannot run commands in the background")
	}
	return l, nil
}

// splitWords returns the words of a line without their quotes.
func splitWords(text string) (words []string, err error) {
	var word strings.Builder
	inWord, quoted := false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'' && quoted && i+1 < len(text) && text[i+1] == '\'':
			word.WriteByte(c)
			i++
		case c == '\'':
			inWord, quoted = true, !quoted
		case quoted:
			word.WriteByte(c)
		case c == '#':
			i = len(text)
		case c == ' ' || c == '\t' || c == '\r':
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			inWord = true
			word.WriteByte(c)
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// run goes through the lines until one fails. The log has the comments of the sections that passed, and
// everything of the section that failed.
func (s *script) run(ctx context.Context, operator *setup.Configuration, folder *source.Folder, update bool) (log string, err error) {
	t := newRunbookTest(ctx, operator, s, folder, update)
	defer t.close()
	defer func() { log = t.redactor.Redact(log) }()
	var passed strings.Builder
	var now section
	for i, l := range s.lines {
		if strings.HasPrefix(l.text, "#") {
			passed.WriteString(now.end())
			now = section{title: l.text + "\n", start: time.Now()}
			continue
		}
		if len(l.words) == 0 {
			continue
		}
		fmt.Fprintf(&now.log, "> %s\n", l.text)
		err := ctx.Err()
		if err == nil {
			err = t.do(l)
		} else {
			err = errors.New("interrupted")
		}
		now.log.WriteString(t.log.String())
		t.log.Reset()
		if err != nil {
			fmt.Fprintf(&now.log, "FAIL: %s:%d: %s\n", s.file, i+1, err)
			return passed.String() + now.end() + now.log.String(), err
		}
	}
	return passed.String() + now.end(), nil
}

// A section is the lines after a comment.
type section struct {
	title string
	start time.Time
	log   strings.Builder
}

// end returns the title with the time that the section took. A title without lines has none: several lines
// of comment are the title of one section.
func (s *section) end() string {
	if s.log.Len() == 0 || s.title == "" {
		return s.title
	}
	return fmt.Sprintf("%s (%.3fs)\n", strings.TrimSuffix(s.title, "\n"), time.Since(s.start).Seconds())
}

// set changes a file of the archive. Its text is quoted if it would end the file.
func (s *script) set(name, text string) error {
	data := []byte(text)
	if txtar.NeedsQuote(data) {
		var err error
		if data, err = txtar.Quote(data); err != nil {
			return fmt.Errorf("%s cannot be updated: %w", name, err)
		}
	}
	for i := range s.archive.Files {
		if s.archive.Files[i].Name == name {
			s.archive.Files[i].Data, s.updated = data, true
		}
	}
	return nil
}

// format returns the text of the test file.
func (s *script) format() []byte { return txtar.Format(s.archive) }
