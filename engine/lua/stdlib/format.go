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
	L        *glua.LState
	out      strings.Builder
	argument int // the number of the last argument that was used
}

// A directive is the part from after a % to the letter of its kind.
type directive struct {
	left, plus, blank, alternate, zero bool
	width                              int
	precision                          int // -1: none
	kind                               byte
}

// textFormat is string.format. %s takes any value, as tostring does.
func textFormat(L *glua.LState) int {
	layout := textArgument(L, 1)
	f := formatter{L: L, argument: 1}
	for {
		at := strings.IndexByte(layout, '%')
		if at < 0 {
			f.write(layout)
			L.Push(glua.LString(f.out.String()))
			return 1
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

// write appends text to the result.
func (f *formatter) write(text string) {
	b := limits.Of(f.L)
	if f.out.Len()+len(text) > limits.MaxString {
		b.Allocate(f.L, int64(f.out.Len()+len(text)))
	}
	b.Allocate(f.L, int64(len(text)))
	f.out.WriteString(text)
}

// directive reads a directive and returns its length.
func (f *formatter) directive(layout string) (d directive, length int) {
	limits.Of(f.L).Charge(f.L, 1)
	for length < len(layout) && d.flag(layout[length]) {
		if length++; length > 5 {
			f.L.RaiseError("invalid format (repeated flags)")
		}
	}
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

// flag notes a flag and reports whether c is one.
func (d *directive) flag(c byte) bool {
	switch c {
	case '-':
		d.left = true
	case '+':
		d.plus = true
	case ' ':
		d.blank = true
	case '#':
		d.alternate = true
	case '0':
		d.zero = true
	default:
		return false
	}
	return true
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
		text := Text(f.L, f.L.CheckAny(n))
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
	case d.left:
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
	case d.plus:
		return "+"
	case d.blank:
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
	return d.pad(d.sign(number < 0), d.atLeast(digits), d.zero && d.precision < 0)
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
	switch {
	case !d.alternate || base == 16 && number == 0:
		prefix = ""
	case base == 8 && strings.HasPrefix(digits, "0"):
		prefix = ""
	}
	return d.pad(prefix, digits, d.zero && d.precision < 0)
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
	upper := d.kind == 'E' || d.kind == 'G'
	negative := math.Signbit(f) && !math.IsNaN(f)
	text := ""
	switch {
	case math.IsNaN(f):
		text = "nan"
	case math.IsInf(f, 0):
		text = "inf"
	default:
		text = d.digits(math.Abs(f))
	}
	if upper {
		text = strings.ToUpper(text)
	}
	return d.pad(d.sign(negative), text, d.zero && !math.IsNaN(f) && !math.IsInf(f, 0))
}

// digits writes a number that is finite and not negative.
func (d directive) digits(f float64) string {
	precision, kind := d.precision, d.kind|0x20
	if precision < 0 {
		precision = 6
	}
	if kind == 'g' && precision == 0 {
		precision = 1
	}
	if d.alternate { // a point always, and for %g all zeros
		return fmt.Sprintf("%#."+strconv.Itoa(precision)+string(rune(kind)), f)
	}
	return strconv.FormatFloat(f, kind, precision, 64)
}

// quote writes %q: text in quotes that Lua reads back unchanged.
func (f *formatter) quote(text string) {
	limits.Of(f.L).Charge(f.L, int64(len(text))/8)
	f.write(`"`)
	for text != "" {
		at := strings.IndexAny(text, "\"\\\n\r\x00")
		if at < 0 {
			f.write(text)
			break
		}
		f.write(text[:at])
		switch text[at] {
		case '\r':
			f.write(`\r`)
		case 0:
			f.write(`\000`)
		default:
			f.write(`\` + text[at:at+1])
		}
		text = text[at+1:]
	}
	f.write(`"`)
}
