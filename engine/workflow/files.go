package workflow

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/source"
)

// maxLuaFile bounds the Lua files of a workflow, in bytes.
const maxLuaFile = 256 << 10

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
	var text string
	var err error
	name := r.Name + ".lua"
	if text, err = s.read(name); err != nil {
		var inLib error
		name = "lib/" + r.Name + ".lua"
		if text, inLib = s.read(name); inLib != nil {
			s.finding(Finding{Rule: "lua-file", Line: r.Line, Token: r.Name, Message: fmt.Sprintf("require: %v", err), Hint: fmt.Sprintf("it looks for %s.lua and lib/%s.lua in the folder of the workflow", r.Name, r.Name)}, file, source.Position{})
			s.plan.Modules[r.Name] = nil
			return
		}
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
	info, err := fs.Stat(c.workflow.Files, name)
	if err != nil || !info.Mode().IsRegular() { // opening a named pipe would wait
		return "", fmt.Errorf("there is no file %s", name)
	}
	f, err := c.workflow.Files.Open(name)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read", name)
	}
	defer f.Close()
	text, err := source.ReadOpen(f, name, maxLuaFile)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(c.plan.Sources, func(s Source) bool { return s.Name == name }) {
		c.plan.Sources = append(c.plan.Sources, Source{name, text})
	}
	return string(text), nil
}
