package stdlib

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/engine/lua/limits"
	glua "github.com/yuin/gopher-lua"
)

// maxFormatDigits bounds the digits of a width and of a precision: 99.
const maxFormatDigits = 2

// A formatter writes the result of one call of string.format.
type formatter struct {
	textWriter
	argument int // the number of the last argument that was used
}

// A directive is the part from after a % to the letter of its kind.
type directive struct {
	flags     string // of "-+ #0"
	width     int
	precision int // -1: none
	kind      byte
}

func (d directive) has(flag byte) bool { return strings.IndexByte(d.flags, flag) >= 0 }

// zeros reports whether a whole number is filled with zeros.
func (d directive) zeros() bool { return d.has('0') && d.precision < 0 }

// textFormat is string.format. %s takes any value, as tostring does.
func textFormat(L *glua.LState) int {
	layout := textArgument(L, 1)
	f := formatter{textWriter: textWriter{L: L}, argument: 1}
	for {
		at := strings.IndexByte(layout, '%')
		if at < 0 {
			f.write(layout)
			return Push(L, glua.LString(f.out.String()))
		}
		f.write(layout[:at])
		layout = layout[at+1:]
		if strings.HasPrefix(layout, "%") {
			f.write("%")
			layout = layout[1:]
			continue
		}
		d, length := f.directive(layout)
		f.value(d)
		layout = layout[length:]
	}
}

// directive reads a directive and returns its length.
func (f *formatter) directive(layout string) (d directive, length int) {
	limits.Of(f.L).Charge(f.L, 1)
	for length < len(layout) && strings.IndexByte("-+ #0", layout[length]) >= 0 {
		if length++; length > 5 {
			f.L.RaiseError("invalid format (repeated flags)")
		}
	}
	d.flags = layout[:length]
	d.width, length = f.digits(layout, length)
	d.width = max(d.width, 0)
	d.precision = -1
	if length < len(layout) && layout[length] == '.' {
		d.precision, length = f.digits(layout, length+1)
		d.precision = max(d.precision, 0)
	}
	if length == len(layout) {
		f.L.RaiseError("invalid option '%%' to 'format': a percent sign at the end; write %%%% for a percent sign")
	}
	d.kind = layout[length]
	return d, length + 1
}

// digits reads a number at a place, and returns it with the place after it. The number is
// -1 when there is none.
func (f *formatter) digits(layout string, at int) (number, next int) {
	next = at
	for next < len(layout) && '0' <= layout[next] && layout[next] <= '9' {
		next++
	}
	if next-at > maxFormatDigits {
		f.L.RaiseError("invalid format (width or precision too long)")
	}
	if next == at {
		return -1, next
	}
	number, _ = strconv.Atoi(layout[at:next])
	return number, next
}

// value writes the next argument as the directive says.
func (f *formatter) value(d directive) {
	f.argument++
	n := f.argument
	switch d.kind {
	case 'c':
		f.write(d.pad("", string([]byte{byte(integerArgument(f.L, n))}), false))
	case 'd', 'i':
		f.write(d.integer(numberArgument(f.L, n)))
	case 'u', 'o', 'x', 'X':
		f.write(d.unsigned(numberArgument(f.L, n)))
	case 'e', 'E', 'f', 'g', 'G':
		f.write(d.float(numberArgument(f.L, n)))
	case 'q':
		f.quote(textArgument(f.L, n))
	case 's':
		var text string
		limits.Of(f.L).While(int64(f.out.Cap()), func() { text = Text(f.L, f.L.CheckAny(n)) })
		if d.precision >= 0 && d.precision < len(text) {
			text = text[:d.precision]
		}
		f.write(d.pad("", text, false))
	default:
		f.L.RaiseError("invalid option '%%%s' to 'format'", strings.ToValidUTF8(string([]byte{d.kind}), "?"))
	}
}

// pad fills text up to the width, with blanks before or after it, or with zeros after the
// sign.
func (d directive) pad(sign, text string, zeros bool) string {
	missing := d.width - len(sign) - len(text)
	switch {
	case missing <= 0:
		return sign + text
	case d.has('-'):
		return sign + text + strings.Repeat(" ", missing)
	case zeros:
		return sign + strings.Repeat("0", missing) + text
	}
	return strings.Repeat(" ", missing) + sign + text
}

// sign returns the sign to write before a number.
func (d directive) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case d.has('+'):
		return "+"
	case d.has(' '):
		return " "
	}
	return ""
}

// integer writes %d: the number without its fraction.
func (d directive) integer(f float64) string {
	number := int64(math.MinInt64) // also what C makes of NaN
	if f >= math.MinInt64 && f < math.MaxInt64 {
		number = int64(f)
	}
	digits := strings.TrimPrefix(strconv.FormatInt(number, 10), "-")
	return d.pad(d.sign(number < 0), d.atLeast(digits), d.zeros())
}

// unsigned writes %u, %o, %x and %X. Negative numbers count down from 2^64.
func (d directive) unsigned(f float64) string {
	number := uint64(math.MaxInt64) + 1
	switch {
	case f >= math.MinInt64 && f < math.MaxInt64:
		number = uint64(int64(f))
	case f >= math.MaxInt64 && f < math.MaxUint64:
		number = uint64(f)
	}
	base, prefix := 10, ""
	switch d.kind {
	case 'o':
		base, prefix = 8, "0"
	case 'x', 'X':
		base, prefix = 16, "0"+string(rune(d.kind))
	}
	digits := d.atLeast(strconv.FormatUint(number, base))
	if d.kind == 'X' {
		digits = strings.ToUpper(digits)
	}
	if !d.has('#') || base == 16 && number == 0 || base == 8 && strings.HasPrefix(digits, "0") {
		prefix = ""
	}
	return d.pad(prefix, digits, d.zeros())
}

// atLeast fills digits with zeros up to the precision. Zero with a precision of
// zero has no digits.
func (d directive) atLeast(digits string) string {
	if d.precision == 0 && digits == "0" {
		return ""
	}
	return strings.Repeat("0", max(d.precision-len(digits), 0)) + digits
}

// float writes %e, %f and %g.
func (d directive) float(f float64) string {
	text := "nan"
	switch {
	case math.IsInf(f, 0):
		text = "inf"
	case !math.IsNaN(f):
		precision := d.precision
		if precision < 0 {
			precision = 6
		}
		return fmt.Sprintf("%"+d.flags+"*.*"+string(rune(d.kind)), d.width, precision, f)
	}
	if d.kind == 'E' || d.kind == 'G' {
		text = strings.ToUpper(text)
	}
	return d.pad(d.sign(f < 0), text, false)
}

// quotes are the characters that %q writes otherwise.
var quotes = strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", "\\\n", "\r", `\r`, "\x00", `\000`)

// quote writes %q: text in quotes that Lua reads back unchanged.
func (f *formatter) quote(text string) {
	limits.Of(f.L).Charge(f.L, int64(len(text))/8)
	f.write(`"`)
	_, _ = quotes.WriteString(&f.textWriter, text)
	f.write(`"`)
}
