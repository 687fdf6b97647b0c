package workflow

import (
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
)

// A ChunkKind says what kind of source a chunk is.
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
	// Names are the globals that the chunk may read, without the names of the language:
	// data (inputs, steps, run, ...) and the modules of the catalogue.
	Names []string
}

// A Program is a compiled chunk. Only the interpreter that made it knows more.
type Program interface {
	// References returns the reads of the names of the chunk, in the order of the
	// source.
	References() []Reference
	// Requires returns the modules that the chunk requires by a literal name.
	Requires() []Require
}

// A Reference is one read of a name, such as steps.create.outputs.id or
// http.get{...}.
type Reference struct {
	// Path is the name and the constant fields after it. It ends before the first field
	// that is not a constant.
	Path []string
	Line int // in the file
	// Called says that the chunk calls the value at the path.
	Called bool
	// Input is the argument of a call with one literal table, with [action.Dynamic] for
	// values that are known in the run only. It is nil for every other call. Open says
	// that the table may have more fields, which are known in the run only.
	Input action.Object
	Open  bool
}

// A Require is one `require("name")`.
type Require struct {
	Name string
	Line int
}

// A Finding is one thing that is wrong with a chunk.
type Finding struct {
	Severity source.Severity
	Rule     string
	Line     int // in the file
	Column   int // 0 when unknown: the column is then the place of Token in the line
	Token    string
	Message  string
	Hint     string
}

// A Checker compiles chunks: it is the language of scripts as this package needs it.
// When it finds errors, the program may be nil.
type Checker interface {
	Check(Chunk) (Program, []Finding)
}
