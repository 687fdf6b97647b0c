package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdUntil repeats a command until its output matches: `until PATTERN COMMAND ARG...`.
func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND ARG...")
	}
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(gateTimeout); time.Now().Before(deadline); {
		_ = ts.Exec(args[1], args[2:]...) // it may fail until then
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("nothing matches %q after %s", args[0], gateTimeout)
}

// cmdDamage flips a bit of the first letter of a text in a file: `damage FILE TEXT`.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage FILE TEXT")
	}
	file := ts.MkAbs(args[0])
	content, err := os.ReadFile(file)
	ts.Check(err)
	at := bytes.Index(content, []byte(args[1]))
	if at < 0 {
		ts.Fatalf("there is no %q in %s", args[1], file)
	}
	content[at] ^= 1
	ts.Check(os.WriteFile(file, content, 0o600))
}

// cmdKeyless fails if a file in a folder contains a key of scriptKeys in any form: `keyless FOLDER`. The
// folder must contain files.
func cmdKeyless(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keyless FOLDER")
	}
	files := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(file)
		if leak := leakOf(string(text)); leak != "" {
			ts.Fatalf("%s contains the key %s", file, leak)
		}
		return err
	}))
	if files == 0 {
		ts.Fatalf("there is no file in %s", args[0])
	}
}
