// Package syntax reads the source of scripts and expressions: it parses a chunk, checks
// it before it runs, and compiles it.
//
//   - A [Chunk] (chunk.go) is a compiled chunk. [Check] makes it, and turns the errors of
//     gopher-lua's parser and compiler into findings.
//   - The walker (walker.go) goes through the syntax tree once, and knows the scope of
//     every name. It reports names that nothing defines.
//   - references.go collects what the chunk reads from outside, with the calls and their
//     literal inputs, so that the workflow can be checked.
//   - path.go reads expressions that are only a path, such as inputs.email, without Lua.
//   - habits.go knows how Lua writes what other languages write otherwise, for hints.
//
// Package rewrite corrects the syntax tree before it is compiled.
package syntax

import (
	"bufio"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/lua/rewrite"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	luaparse "github.com/yuin/gopher-lua/parse"
)

const (
	// maxSource bounds the text of a chunk in bytes: the compiler's memory grows with it.
	maxSource = 256 << 10
	// maxConstants bounds the different texts, numbers and names of a source longer than
	// longSource: gopher-lua compares each with all before it.
	maxConstants = 8000
	longSource   = 32 << 10
	// maxFindings bounds the findings that are shown for one chunk.
	maxFindings = 100
	// maxDepth bounds how deep expressions and blocks nest: the compiler is recursive,
	// and its stack grows with the depth.
	maxDepth = 1500
)

// NullModule and NullName name json.null, which is a value and not an action: a null that
// keeps its place in a list.
const NullModule, NullName = "json", "null"

// Names are the global names that the language itself gives to chunks.
type Names struct {
	Script     []string            // the names in scripts and modules
	Expression []string            // the names in expressions
	Functions  map[string][]string // the functions of Lua's own modules
}

// A Chunk is a compiled chunk. It is immutable: states of several goroutines share its
// code.
type Chunk struct {
	Kind workflow.ChunkKind
	File string
	Code func() *glua.FunctionProto // a path is compiled by the first call
	Path []string                   // the names of an expression that is a path; nil otherwise
	// Globals are the names that the chunk reads from outside.
	Globals []Global

	references []workflow.Reference
	requires   []workflow.Require
}

// A Global is a name that a chunk reads, with the constant fields that it reads of it.
// Whole says that the chunk also uses the value itself.
type Global struct {
	Name   string
	Fields []string
	Whole  bool
}

var _ workflow.Program = (*Chunk)(nil)

// References returns the reads of the source's Names, in the order of the source.
func (c *Chunk) References() []workflow.Reference { return c.references }

// Requires returns the modules that the chunk requires.
func (c *Chunk) Requires() []workflow.Require { return c.requires }

// Check compiles a chunk and reports what is wrong with it. The chunk is nil when it
// cannot be compiled.
func Check(source workflow.Chunk, names *Names) (checked *Chunk, findings []workflow.Finding) {
	source.Line = max(source.Line, 1)
	defer func() { // gopher-lua's parser and compiler must not end the process
		if r := recover(); r != nil {
			checked, findings = nil, refused(source.Line, fmt.Sprintf("this cannot be compiled: %v", r), "")
		}
	}()
	if len(source.Text) > maxSource {
		return nil, refused(source.Line, fmt.Sprintf("the script has %d bytes, at most %d are allowed", len(source.Text), maxSource), "")
	}
	c := &Chunk{Kind: source.Kind, File: source.File}
	statements, finding := c.parse(source)
	if finding != nil {
		return nil, []workflow.Finding{*finding}
	}
	w := newWalker(source, names)
	w.chunk(statements)
	const smaller = "give data as inputs, or read it with a call"
	switch {
	case w.tooDeep:
		return nil, refused(source.Line, fmt.Sprintf("the source nests deeper than %d levels", maxDepth), "")
	case w.longTable > 0:
		return nil, refused(w.longTable, fmt.Sprintf("the table is written with more than %d items", rewrite.MaxItems), smaller)
	case len(w.constants) > maxConstants:
		return nil, refused(source.Line, fmt.Sprintf("the script has more than %d different texts, numbers and names, which would take long to compile", maxConstants), smaller)
	}
	if finding := c.compile(source, statements); finding != nil {
		return nil, []workflow.Finding{*finding}
	}
	c.references, c.requires, c.Globals = w.references, w.requires, w.globals
	return c, w.findings
}

// refused is the only finding of a chunk that cannot be compiled.
func refused(line int, message, hint string) []workflow.Finding {
	return []workflow.Finding{{Rule: workflow.RuleLuaSyntax, Line: line, Message: message, Hint: hint}}
}

// parse parses the chunk. An expression that is a path needs no parser.
func (c *Chunk) parse(source workflow.Chunk) ([]ast.Stmt, *workflow.Finding) {
	if source.Kind == workflow.Expression {
		if c.Path = pathOf(source.Text); c.Path != nil {
			return pathStatements(c.Path), nil
		}
	}
	return parse(source)
}

// compile compiles the chunk. A path is compiled only when Lua evaluates it, which is
// rare. Nothing can be wrong with it.
func (c *Chunk) compile(source workflow.Chunk, statements []ast.Stmt) *workflow.Finding {
	if c.Path != nil {
		c.Code = sync.OnceValue(func() *glua.FunctionProto {
			code, _ := compile(source, statements)
			return code
		})
		return nil
	}
	code, finding := compile(source, statements)
	c.Code = func() *glua.FunctionProto { return code }
	return finding
}

// compile compiles the syntax tree of a chunk.
func compile(c workflow.Chunk, statements []ast.Stmt) (*glua.FunctionProto, *workflow.Finding) {
	statements, wrapped := rewrite.Chunk(statements, strings.Count(c.Text, "\n")+1)
	code, err := glua.Compile(statements, c.File)
	if err != nil {
		finding := compileFinding(c, err)
		return nil, &finding
	}
	if wrapped {
		code = code.FunctionPrototypes[0] // the outer function only declares the variable for ..
	}
	finish(code, c.Line-1)
	return code, nil
}

// finish moves compiled code, whose first line is 1, to its lines in the file. It also
// copies it out of the compiler's buffers, which hold 16 KB for each function.
func finish(code *glua.FunctionProto, shift int) {
	code.LineDefined += shift
	code.LastLineDefined += shift
	for i := range code.DbgSourcePositions {
		code.DbgSourcePositions[i] += shift
	}
	code.Code, code.Constants = trimmed(code.Code), trimmed(code.Constants)
	code.DbgSourcePositions, code.DbgCalls = trimmed(code.DbgSourcePositions), trimmed(code.DbgCalls)
	code.DbgLocals, code.DbgUpvalues = trimmed(code.DbgLocals), trimmed(code.DbgUpvalues)
	code.FunctionPrototypes = trimmed(code.FunctionPrototypes)
	for _, inner := range code.FunctionPrototypes {
		finish(inner, shift)
	}
}

// trimmed returns a list without spare capacity.
func trimmed[E any](list []E) []E {
	if len(list) == cap(list) {
		return list
	}
	return append(make([]E, 0, len(list)), list...)
}

// lexers are the buffers of gopher-lua's lexer.
var lexers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, lexerBuffer) }}

// lexerBuffer is the size that the lexer wants; it would wrap a smaller buffer in its
// own.
const lexerBuffer = 4096

// parseText parses a text that ends with a line break.
func parseText(text, file string) ([]ast.Stmt, error) {
	buffer := lexers.Get().(*bufio.Reader)
	buffer.Reset(strings.NewReader(text))
	defer func() {
		buffer.Reset(nil)
		lexers.Put(buffer)
	}()
	return luaparse.Parse(buffer, file)
}

// parse parses a chunk. Its first line is 1.
func parse(c workflow.Chunk) ([]ast.Stmt, *workflow.Finding) {
	text := c.Text + "\n"
	if c.Kind == workflow.Expression {
		text = "return " + text
	}
	statements, err := parseText(text, c.File)
	if err != nil {
		return nil, syntaxFinding(c, err)
	}
	if c.Kind != workflow.Expression {
		return statements, nil
	}
	if len(statements) == 1 {
		if r, ok := statements[0].(*ast.ReturnStmt); ok && len(r.Exprs) == 1 {
			return statements, nil
		}
	}
	return nil, &workflow.Finding{
		Rule: workflow.RuleLuaSyntax, Line: c.Line, Message: "an expression must be one value, such as inputs.email or steps.lookup.outputs.found",
	}
}

// syntaxFinding turns an error of the parser into a sentence.
func syntaxFinding(c workflow.Chunk, err error) *workflow.Finding {
	f := &workflow.Finding{Rule: workflow.RuleLuaSyntax, Line: c.Line, Message: "this is not valid Lua: " + err.Error()}
	parseError, ok := errors.AsType[*luaparse.Error](err)
	if !ok {
		return f
	}
	lines := strings.Split(c.Text, "\n")
	if parseError.Pos.Line == luaparse.EOF {
		f.Line = c.Line + max(lastLine(lines), 0)
		f.Message = "this is not valid Lua: the source ends too early"
		f.Hint = "an `end`, a bracket or a quote may be missing"
		if hint := habit(blockHabits(), lines...); hint != "" {
			f.Hint += "; " + hint
		}
		return f
	}
	at := parseError.Pos.Line - 1
	f.Line, f.Token = c.Line+at, parseError.Token
	f.Message = fmt.Sprintf("this is not valid Lua: %s near %q", parseError.Message, phrase.Clip(parseError.Token, 40))
	if at >= 0 && at < len(lines) {
		// The parser notices an unfinished statement on the next line.
		if f.Hint = habit(habits(), lines[at]); f.Hint == "" && at > 0 {
			f.Hint = habit(habits(), lines[lastLine(lines[:at])])
		}
	}
	return f
}

func lastLine(lines []string) int {
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.TrimSpace(lines[i]) != "" {
			return i
		}
	}
	return 0
}

// linePattern finds the line that a message of the compiler names.
var linePattern = regexp.MustCompile(` (?:at|on) line (\d+)`)

// compileFinding turns an error of the compiler into a finding. A line in its
// message counts from the first line of the chunk.
func compileFinding(c workflow.Chunk, err error) workflow.Finding {
	f := workflow.Finding{Rule: workflow.RuleLuaSyntax, Line: c.Line, Message: "this is not valid Lua: " + err.Error()}
	if compileError, ok := errors.AsType[*glua.CompileError](err); ok {
		f.Line = c.Line + max(compileError.Line-1, 0)
		f.Message = "this is not valid Lua: " + compileError.Message
		if m := linePattern.FindStringSubmatch(compileError.Message); m != nil {
			line, _ := strconv.Atoi(m[1])
			f.Line = c.Line + line - 1
			f.Message = "this is not valid Lua: " + strings.Replace(compileError.Message, m[0], "", 1)
		}
	}
	return f
}
