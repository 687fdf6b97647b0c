// Package number reads and writes numbers as Lua 5.1 does.
package number

import (
	"math"
	"strconv"
	"strings"
)

// Text writes a number as tostring does in Lua 5.1, with 14 significant digits. Whole
// numbers are written in full, so that an id or a time in milliseconds does not end in
// e+15.
func Text(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan" // C adds the sign that the processor happened to choose
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strings.ToLower(strconv.FormatFloat(f, 'g', -1, 64)), "+")
	case f == 0 && math.Signbit(f):
		return "-0"
	case f == math.Trunc(f) && math.Abs(f) < 1e18:
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', 14, 64)
}

// Parse reads a number as Lua does: decimal, with or without an exponent, or hexadecimal
// after 0x, with blanks around it. Unlike C, it does not take "inf" and "nan" for numbers,
// because they are more often words.
func Parse(text string) (float64, bool) {
	text = trimBlanks(text)
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) <= 1 && isHexadecimal(digits) {
		value, ok := parseDigits(digits[2:], 16)
		return signed(value, text), ok
	}
	if strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, false // ParseFloat would also take words, underscores and hexadecimal fractions
	}
	value, err := strconv.ParseFloat(text, 64)
	return value, err == nil || math.IsInf(value, 0)
}

// trimBlanks removes the bytes that C takes for blanks.
func trimBlanks(text string) string { return strings.Trim(text, " \t\n\v\f\r") }

func signed(value float64, text string) float64 {
	if strings.HasPrefix(text, "-") {
		return -value
	}
	return value
}

// isHexadecimal reports whether the digits of a number follow 0x.
func isHexadecimal(text string) bool {
	return len(text) > 2 && text[0] == '0' && text[1]|0x20 == 'x'
}

// parseDigits reads digits to a base from 2 to 36.
func parseDigits(text string, base int) (float64, bool) {
	if text == "" {
		return 0, false
	}
	value := 0.0
	for i := range len(text) {
		digit := digitOf(text[i])
		if digit >= base {
			return 0, false
		}
		value = value*float64(base) + float64(digit)
	}
	return value, true
}

// digitOf returns the value of a digit, and 36 for any other byte.
func digitOf(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return 36
}

// ParseBase reads a whole number to a base from 2 to 36, with blanks around it, as
// tonumber(text, base) does.
func ParseBase(text string, base int) (float64, bool) {
	text = trimBlanks(text)
	digits := text
	if text != "" && (text[0] == '-' || text[0] == '+') {
		digits = text[1:]
	}
	if base == 16 && isHexadecimal(digits) {
		digits = digits[2:]
	}
	value, ok := parseDigits(digits, base)
	return signed(value, text), ok
}
