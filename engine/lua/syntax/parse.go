package syntax

import (
	"bufio"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/lua/rewrite"
	"github.com/pdflow/pdflow/engine/workflow"
	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	luaparse "github.com/yuin/gopher-lua/parse"
)

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
	var parseError *luaparse.Error
	if !errors.As(err, &parseError) {
		return f
	}
	lines := strings.Split(c.Text, "\n")
	if parseError.Pos.Line == luaparse.EOF {
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
	f.Message = fmt.Sprintf("this is not valid Lua: %s near %q", parseError.Message, action.Clip(parseError.Token, 40))
	if at >= 0 && at < len(lines) {
		// The parser notices an unfinished statement on the next line.
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

// linePattern finds the line that a message of the compiler names.
var linePattern = regexp.MustCompile(` (?:at|on) line (\d+)`)

// compileFinding turns an error of the compiler into a finding. A line in its
// message counts from the first line of the chunk.
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
