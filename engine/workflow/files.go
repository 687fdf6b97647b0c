package workflow

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/source"
)

const (
	// maxLuaFile bounds each Lua file of a workflow, in bytes.
	maxLuaFile = 256 << 10
	// maxLuaFiles bounds the Lua files of a workflow together, in bytes. A compiled script takes
	// some 200 times the memory of its text. A file counts for each step that runs it.
	maxLuaFiles = 1 << 20
)

// luaFile compiles the script of `lua_file:`.
func (c *compiler) luaFile(s *scope, file *source.Text) Program {
	if file.Text == "" {
		return nil // reported already
	}
	name := strings.TrimPrefix(file.Text, "./")
	text, err := c.read(name)
	if err != nil {
		c.document.Report(file.Position, "lua-file", fmt.Sprintf("lua_file: %v", err), "it names a .lua file in the folder of the workflow")
		return nil
	}
	return s.script(Chunk{Kind: Script, File: c.inFolder(name), Line: 1, Text: text})
}

// require compiles a module the first time that a script requires it, and checks what
// it reads for every step.
func (s *scope) require(r Require, file string) {
	if s.modules[r.Name] {
		return // a circle of modules ends here
	}
	s.modules[r.Name] = true
	if module, done := s.plan.Modules[r.Name]; done {
		if module != nil {
			s.follow(module, s.moduleFiles[r.Name])
		}
		return
	}
	name := r.Name + ".lua"
	text, err := s.read(name)
	if isMissing(err) {
		inLib, failed := s.read("lib/" + name)
		if !isMissing(failed) {
			name, text, err = "lib/"+name, inLib, failed
		}
	}
	if err != nil {
		s.finding(Finding{Rule: "lua-file", Line: r.Line, Token: r.Name, Message: fmt.Sprintf("require: %v", err), Hint: fmt.Sprintf("it looks for %s.lua and lib/%s.lua in the folder of the workflow", r.Name, r.Name)}, file, source.Position{})
		s.plan.Modules[r.Name] = nil
		return
	}
	s.moduleFiles[r.Name] = s.inFolder(name)
	s.plan.Modules[r.Name] = s.script(Chunk{Kind: Module, File: s.inFolder(name), Line: 1, Text: text})
}

// inFolder returns the path of a file in the folder of the workflow, relative to the
// same folder as the path of the workflow.
func (c *compiler) inFolder(name string) string {
	folder := strings.LastIndexAny(c.workflow.File, `/\`) + 1
	return c.workflow.File[:folder] + name
}

// read returns the text of a Lua file in the folder of the workflow, and adds it to
// the sources of the plan.
func (c *compiler) read(name string) (string, error) {
	switch {
	case c.workflow.Files == nil:
		return "", fmt.Errorf("%s cannot be read: the workflow has no folder", name)
	case path.Ext(name) != ".lua":
		return "", fmt.Errorf("%q is not a .lua file", name)
	case !fs.ValidPath(name):
		return "", fmt.Errorf("%s is not a path inside the folder of the workflow", name)
	}
	// The files may be of any kind, so they are not opened before it is known that they are
	// regular: opening a named pipe may wait.
	info, err := fs.Stat(c.workflow.Files, name)
	if err == nil {
		err = source.CheckRegular(info, name)
	}
	if err != nil {
		return "", unread(name, err)
	}
	f, err := c.workflow.Files.Open(name)
	if err != nil {
		return "", unread(name, err)
	}
	defer f.Close()
	text, err := source.ReadOpen(f, name, maxLuaFile)
	if err != nil {
		return "", err
	}
	if c.luaBytes += len(text); c.luaBytes > maxLuaFiles {
		return "", fmt.Errorf("%s cannot be used: the Lua files of the workflow have more than 1 MB together, and each counts for each step that runs it", name)
	}
	if !slices.ContainsFunc(c.plan.Sources, func(s Source) bool { return s.Name == name }) {
		c.plan.Sources = append(c.plan.Sources, Source{name, text})
	}
	return string(text), nil
}

// luaLine matches a line that only a program has: a keyword of Lua where it belongs, or a
// call. Other lines, such as name=value, may stand in any file.
var luaLine = regexp.MustCompile(`(?m)^\s*(local\s+\w+|return(\s*$|\s+[^=:\s]|[({"'])|(local\s+)?function\b.*\(|if\b.*\bthen\b|for\b.*\bdo\b|while\b.*\bdo\b|[A-Za-z_][\w.]*(:\w+)?\s*[({])|\brequire\s*[("']|=\s*function\b`)

// looksLikeLua reports whether a text may be quoted in a message about a Lua file. A file
// that has nothing of Lua may be any file, such as a list of passwords.
func looksLikeLua(text string) bool { return luaLine.MatchString(text) }

// notLua is the only finding of a file that has nothing of Lua.
var notLua = Finding{Rule: RuleLuaSyntax, Line: 1, Column: 1, Message: "the file is not a Lua script: it has no call and none of the words of Lua"}

// A missingError is the name of a file that does not exist.
type missingError string

// Error says that the file does not exist.
func (name missingError) Error() string { return "there is no file " + string(name) }

func isMissing(err error) bool {
	var missing missingError
	return errors.As(err, &missing)
}

// unread returns why a file of the folder of the workflow cannot be read.
func unread(name string, err error) error {
	var leaves *source.LeavesError
	var failed *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missingError(name)
	case errors.As(err, &leaves):
		return fmt.Errorf("%s is a link that leaves the folder of the workflow, and such links are not followed: replace it by the file", name)
	case errors.As(err, &failed):
		return fmt.Errorf("%s cannot be read: %w", name, failed.Err)
	}
	return err
}
