package workflow

import (
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
)

// A ChunkKind says what a piece of source is.
type ChunkKind int

// The kinds of chunks.
const (
	Expression ChunkKind = iota // one expression, which calls no action
	Script                      // the body of a step; `return` gives its outputs
	Module                      // a file that require loads
)

// A Chunk is a piece of source in the language of scripts.
type Chunk struct {
	Kind ChunkKind
	File string
	Line int // the line of File on which Text begins
	Text string
	// Names are the globals that the chunk may read beside the language's own:
	// data (inputs, steps, run, ...) and the modules of the catalogue.
	Names []string
}

// A Program is a compiled chunk. Only the Interpreter that made it looks inside.
type Program interface {
	// References are the reads of the chunk's Names, in the order of the source.
	References() []Reference
	// Requires are the modules that the chunk asks for by a literal name.
	Requires() []Require
}

// A Reference is one read of a name, such as steps.create.outputs.id or
// pagerduty.create_user{...}.
type Reference struct {
	// Path holds the name and the constant fields after it; a read through
	// anything but a constant ends it.
	Path []string
	Line int // in the file
	// Called says that what the path leads to is called.
	Called bool
	// Input is the table of a call with one literal table, its unknown values
	// [action.Dynamic]; nil for every other call. Open says that it may have
	// fields that only the run knows.
	Input action.Object
	Open  bool
}

// A Require is one `require("name")`.
type Require struct {
	Name string
	Line int
}

// A Finding is something wrong with a chunk.
type Finding struct {
	Severity source.Severity
	Rule     string
	Line     int // in the file
	Column   int // 0 when unknown: Token is then looked for in the line
	Token    string
	Message  string
	Hint     string
}

// A Checker compiles chunks. When it finds errors it may return a nil Program.
type Checker interface {
	Check(Chunk) (Program, []Finding)
}
