package number_test

import (
	"math"
	"testing"

	"github.com/pdflow/pdflow/engine/lua/number"
)

// TestText: numbers are written with 14 digits, and whole numbers in full.
func TestText(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", -3: "-3", 1.5: "1.5", 1.0 / 3: "0.33333333333333", 1e15: "1000000000000000", 1e17: "100000000000000000", 1e18: "1e+18", 1e-7: "1e-07",
		math.Inf(1): "inf", math.Inf(-1): "-inf", math.NaN(): "nan",
	} {
		if got := number.Text(f); got != want {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
	if got := number.Text(math.Copysign(0, -1)); got != "-0" {
		t.Errorf("got %s, want -0", got)
	}
}

// TestParse: the text of a number in Lua is a number, and other text is not.
func TestParse(t *testing.T) {
	for text, want := range map[string]float64{
		"1": 1, " -1.5e3 ": -1500, "0x10": 16, "-0X1f": -31, "010": 10, ".5": 0.5, "1.": 1, "\t7\n": 7, "1e999": math.Inf(1),
	} {
		if got, ok := number.Parse(text); !ok || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", " ", ".", "1e", "0x", "0xg", "1_000", "inf", "nan", "--1", "1 2", "0b1"} {
		if got, ok := number.Parse(text); ok {
			t.Errorf("%q: got %v, want it to be refused", text, got)
		}
	}
}

// TestParseBase: digits are read to a base from 2 to 36.
func TestParseBase(t *testing.T) {
	for _, test := range []struct {
		text string
		base int
		want float64
		ok   bool
	}{
		{"ff", 16, 255, true},
		{" -0xFF ", 16, -255, true},
		{"zz", 36, 1295, true},
		{"101", 2, 5, true},
		{"2", 2, 0, false},
		{"", 10, 0, false},
		{"-", 10, 0, false},
		{"1 1", 10, 0, false},
	} {
		if got, ok := number.ParseBase(test.text, test.base); got != test.want || ok != test.ok {
			t.Errorf("%q to base %d: got %v, %v, want %v, %v", test.text, test.base, got, ok, test.want, test.ok)
		}
	}
}
