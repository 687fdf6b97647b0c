package lua

import (
	"bufio"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// A program is a compiled chunk. It is immutable: states of several goroutines
// share its code.
type program struct {
	kind       workflow.ChunkKind
	file       string
	code       func() *glua.FunctionProto // made when it is first asked for
	path       []string                   // of an expression that is one
	references []workflow.Reference
	requires   []workflow.Require
	// globals are the names that the chunk reads from outside, and for data the
	// fields of them: nil fields mean all.
	globals []global
	// many says that a single instruction of it may keep many values: a table of all
	// that a call returns or of `...`, a large table at once, and a list up to a key.
	many bool
}

// A global is a name that a chunk reads, with the constant fields that it reads
// of it. Whole says that it also uses the value itself.
type global struct {
	name   string
	fields []string
	whole  bool
}

// References are the reads of the chunk's names.
func (p *program) References() []workflow.Reference { return p.references }

// Requires are the modules that the chunk asks for.
func (p *program) Requires() []workflow.Require { return p.requires }

// Check compiles a chunk and reports what is wrong with it.
func (i *Interpreter) Check(c workflow.Chunk) (checked workflow.Program, findings []workflow.Finding) {
	defer func() { // gopher-lua's parser and compiler must not end the process
		if r := recover(); r != nil {
			checked, findings = nil, []workflow.Finding{{Rule: workflow.RuleLuaSyntax, Line: c.Line, Message: fmt.Sprintf("this cannot be compiled: %v", r)}}
		}
	}()
	if len(c.Text) > maxSource {
		return nil, []workflow.Finding{{Rule: workflow.RuleLuaSyntax, Line: c.Line, Message: fmt.Sprintf("the script has %d bytes, at most %d are read", len(c.Text), maxSource)}}
	}
	c.Line = max(c.Line, 1)
	p := &program{kind: c.Kind, file: c.File}
	statements, finding := p.parse(c)
	if finding != nil {
		return nil, []workflow.Finding{*finding}
	}
	w := i.newWalker(c)
	w.chunk(statements)
	if w.tooDeep {
		return nil, []workflow.Finding{{Rule: workflow.RuleLuaSyntax, Line: c.Line, Message: fmt.Sprintf("the source nests deeper than %d levels", maxSyntaxDepth)}}
	}
	if w.longTable > 0 {
		return nil, []workflow.Finding{{
			Rule: workflow.RuleLuaSyntax, Line: w.longTable, Message: fmt.Sprintf("the table is written with more than %d items", maxItems),
			Hint: "give data as inputs, or read it in a call",
		}}
	}
	if len(w.constants) > maxConstants {
		return nil, []workflow.Finding{{
			Rule: workflow.RuleLuaSyntax, Line: c.Line, Message: fmt.Sprintf("the script has more than %d different texts, numbers and names, which would take long to compile", maxConstants),
			Hint: "give data as inputs, or read it in a call",
		}}
	}
	if finding := p.compile(c, statements); finding != nil {
		return nil, []workflow.Finding{*finding}
	}
	p.references, p.requires, p.globals, p.many = w.references, w.requires, w.globals, w.many
	return p, w.findings
}

// parse parses the chunk. An expression that is a path needs no parser.
func (p *program) parse(c workflow.Chunk) ([]ast.Stmt, *workflow.Finding) {
	if c.Kind == workflow.Expression {
		if p.path = pathOf(c.Text); p.path != nil {
			return pathStatements(p.path), nil
		}
	}
	return parseChunk(c)
}

// compile compiles the chunk. A path, in which nothing can be wrong, is compiled
// when it is evaluated by Lua, which few are.
func (p *program) compile(c workflow.Chunk, statements []ast.Stmt) *workflow.Finding {
	if p.path != nil {
		p.code = sync.OnceValue(func() *glua.FunctionProto {
			code, _ := compileChunk(c, statements)
			return code
		})
		return nil
	}
	code, finding := compileChunk(c, statements)
	p.code = func() *glua.FunctionProto { return code }
	return finding
}

func compileChunk(c workflow.Chunk, statements []ast.Stmt) (*glua.FunctionProto, *workflow.Finding) {
	statements, wrapped := rewrite(statements, strings.Count(c.Text, "\n")+1)
	code, err := glua.Compile(statements, c.File)
	if err != nil {
		finding := compileFinding(c, err)
		return nil, &finding
	}
	if wrapped {
		code = code.FunctionPrototypes[0] // what is around it only declares the function behind ..
	}
	finish(code, c.Line-1)
	return code, nil
}

// finish moves compiled code, whose first line is 1, to its lines of the file, and
// gives up the room in which it was made, 16 KB for each function.
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

// trimmed is a list with no more room than it fills.
func trimmed[E any](list []E) []E {
	if len(list) == cap(list) {
		return list
	}
	return append(make([]E, 0, len(list)), list...)
}

// lexers are the buffers of gopher-lua's lexer.
var lexers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, lexerBuffer) }}

// lexerBuffer is what the lexer reads through; it takes one of this size as it is.
const lexerBuffer = 4096

// parseText parses a text that ends with a line break.
func parseText(text, file string) ([]ast.Stmt, error) {
	buffer := lexers.Get().(*bufio.Reader)
	buffer.Reset(strings.NewReader(text))
	defer func() {
		buffer.Reset(nil)
		lexers.Put(buffer)
	}()
	return parse.Parse(buffer, file)
}

// parseChunk parses a chunk. Its first line is 1.
func parseChunk(c workflow.Chunk) ([]ast.Stmt, *workflow.Finding) {
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
	var parseError *parse.Error
	if !errors.As(err, &parseError) {
		return f
	}
	lines := strings.Split(c.Text, "\n")
	if parseError.Pos.Line == parse.EOF {
		f.Line = c.Line + max(lastLine(lines), 0)
		f.Message = "this is not valid Lua: the source ends too early"
		f.Hint = "an `end`, a bracket or a quote may be missing"
		if hint := blockHabit(lines); hint != "" {
			f.Hint += "; " + hint
		}
		return f
	}
	at := parseError.Pos.Line - 1
	f.Line, f.Token = c.Line+at, parseError.Token
	f.Message = fmt.Sprintf("this is not valid Lua: %s near %q", parseError.Message, clip(parseError.Token, 40))
	if at >= 0 && at < len(lines) {
		// A statement that has no end in its own line is noticed in the next.
		if f.Hint = habit(lines[at]); f.Hint == "" && at > 0 {
			f.Hint = habit(lines[lastLine(lines[:at])])
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

// linePattern finds a line that a message of the compiler names.
var linePattern = regexp.MustCompile(` (?:at|on) line (\d+)`)

// compileFinding turns an error of the compiler into a finding. A line in its
// message counts from the beginning of the chunk.
func compileFinding(c workflow.Chunk, err error) workflow.Finding {
	f := workflow.Finding{Rule: workflow.RuleLuaSyntax, Line: c.Line, Message: "this is not valid Lua: " + err.Error()}
	var compileError *glua.CompileError
	if errors.As(err, &compileError) {
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

func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
