package runbooktest

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// compare compares two texts: `cmp stdout FILE`. With update it writes the first text into the second file
// instead of failing.
func (t *runbookTest) compare(not bool, args []string) error {
	if len(args) != 2 {
		return errors.New("write: cmp stdout FILE")
	}
	got, err := t.compared(args[0])
	if err != nil {
		return err
	}
	want, err := t.compared(args[1])
	switch {
	case err != nil:
		return err
	case not && got == want:
		return fmt.Errorf("%s and %s do not differ", args[0], args[1])
	case not || got == want:
		return nil
	}
	if name, err := ownName(args[1]); t.update && err == nil && args[1] != "stdout" && args[1] != "stderr" {
		return t.script.set(name, got)
	}
	t.log.Write(diff.Diff(args[0], []byte(got), args[1], []byte(want)))
	t.log.WriteString("\n")
	return fmt.Errorf("%s and %s differ", args[0], args[1])
}

// compared returns what the last command printed, or a file of the test.
func (t *runbookTest) compared(name string) (string, error) {
	switch name {
	case "stdout":
		return t.stdout.String(), nil
	case "stderr":
		return t.stderr.String(), nil
	}
	own, err := ownName(name)
	if err != nil {
		return "", fmt.Errorf("%q is outside the test: cmp and grep read only files of the test", name)
	}
	file, ok := t.own[own]
	if !ok {
		return "", fmt.Errorf("there is no file %q in the test: cmp and grep read only files of the test", name)
	}
	return string(file.Data), nil
}

// ownName returns the name of a file of the test as the test keeps it.
func ownName(name string) (string, error) {
	if !filepath.IsLocal(name) || strings.ContainsAny(name, "\x00\n\\") {
		return "", fmt.Errorf("%q is not a name of a file inside the test (write a plain name, such as world.yaml)", name)
	}
	return path.Clean(name), nil
}

// matchStdout searches what the last command printed: `stdout REGEXP`.
func (t *runbookTest) matchStdout(not bool, args []string) error {
	return t.match("stdout", not, append(args[:len(args):len(args)], "stdout"))
}

// matchStderr searches the log and the failure of the last run: `stderr REGEXP`.
func (t *runbookTest) matchStderr(not bool, args []string) error {
	return t.match("stderr", not, append(args[:len(args):len(args)], "stderr"))
}

// grep searches a file of the test: `grep REGEXP FILE`.
func (t *runbookTest) grep(not bool, args []string) error { return t.match("grep", not, args) }

// match searches a text. Its arguments are `[-count=N] REGEXP NAME`.
func (t *runbookTest) match(word string, not bool, args []string) error {
	count := 0
	if len(args) > 0 && strings.HasPrefix(args[0], "-count=") {
		var err error
		if count, err = strconv.Atoi(strings.TrimPrefix(args[0], "-count=")); err != nil || count < 1 || not {
			return fmt.Errorf("%s is not a count: write a whole number from 1, and no `!`", args[0])
		}
		args = args[1:]
	}
	if len(args) != 2 && word == "grep" {
		return errors.New("write: grep [-count=N] REGEXP FILE")
	} else if len(args) != 2 {
		return fmt.Errorf("write: %s [-count=N] REGEXP", word)
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	if err != nil {
		return err
	}
	text, err := t.compared(args[1])
	if err != nil {
		return err
	}
	found := pattern.FindAllString(text, -1)
	switch {
	case not && len(found) > 0:
		err = fmt.Errorf("unexpected match for %#q found in %s: %s", args[0], args[1], found[0])
	case !not && len(found) == 0:
		err = fmt.Errorf("no match for %#q found in %s", args[0], args[1])
	case !not && count > 0 && len(found) != count:
		err = fmt.Errorf("have %d matches for %#q, want %d", len(found), args[0], count)
	}
	if err != nil && word == "grep" {
		fmt.Fprintf(&t.log, "[%s]\n%s\n", args[1], text)
	}
	return err
}
