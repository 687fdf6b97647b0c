package stdlib

import (
	"math"

	glua "github.com/yuin/gopher-lua"
)

// Random returns the source of random numbers of a state, which returns 64 random bits
// at a time; nil where there is none.
type Random func(L *glua.LState) func() uint64

// Math returns the functions of the module math. They return what the C library does,
// except perhaps for the last digit, on every machine.
func Math(random Random) map[string]glua.LGFunction {
	functions := map[string]glua.LGFunction{
		"deg":  unary(func(x float64) float64 { return x / (math.Pi / 180) }),
		"rad":  unary(func(x float64) float64 { return x * (math.Pi / 180) }),
		"fmod": binary(math.Mod), "mod": binary(math.Mod), "pow": binary(math.Pow), "atan2": binary(math.Atan2),
		"log10": unary(decimalLogarithm), "modf": mathModf, "frexp": mathFrexp, "ldexp": mathLdexp,
		"max": extreme(func(x, best float64) bool { return x > best }), "min": extreme(func(x, best float64) bool { return x < best }),
		"random": random.draw,
	}
	for name, function := range map[string]func(float64) float64{
		"abs": math.Abs, "acos": math.Acos, "asin": math.Asin, "atan": math.Atan, "ceil": math.Ceil, "cos": math.Cos, "cosh": math.Cosh,
		"exp": math.Exp, "floor": math.Floor, "log": naturalLogarithm, "sin": math.Sin, "sinh": math.Sinh, "sqrt": math.Sqrt, "tan": math.Tan, "tanh": math.Tanh,
	} {
		functions[name] = unary(function)
	}
	return functions
}

func unary(function func(float64) float64) glua.LGFunction {
	return func(L *glua.LState) int {
		return Push(L, glua.LNumber(function(numberArgument(L, 1))))
	}
}

func binary(function func(x, y float64) float64) glua.LGFunction {
	return func(L *glua.LState) int {
		return Push(L, glua.LNumber(function(numberArgument(L, 1), numberArgument(L, 2))))
	}
}

// extreme is math.max or math.min.
func extreme(better func(x, best float64) bool) glua.LGFunction {
	return func(L *glua.LState) int {
		best := numberArgument(L, 1)
		for i := 2; i <= L.GetTop(); i++ {
			if x := numberArgument(L, i); better(x, best) {
				best = x
			}
		}
		return Push(L, glua.LNumber(best))
	}
}

// naturalLogarithm is math.Log, which on amd64 is wrong for the smallest numbers,
// the subnormal ones.
func naturalLogarithm(x float64) float64 {
	if fraction, exponent := math.Frexp(x); x > 0 && exponent < -1021 {
		return math.Log(fraction) + float64(exponent)*math.Ln2
	}
	return math.Log(x)
}

// decimalLogarithm is exact for powers of ten. Go's is not: math.Log10(1000) is below
// 3.
func decimalLogarithm(x float64) float64 {
	logarithm := naturalLogarithm(x) / math.Ln10
	if whole := math.Round(logarithm); math.Abs(whole) < 308 && math.Pow10(int(whole)) == x {
		return whole
	}
	return logarithm
}

// mathModf is math.modf: the whole part of a number and its fraction. The fraction of
// an infinite number is zero.
func mathModf(L *glua.LState) int {
	x := numberArgument(L, 1)
	whole, fraction := math.Modf(x)
	if math.IsInf(x, 0) {
		fraction = math.Copysign(0, x)
	}
	return Push(L, glua.LNumber(whole), glua.LNumber(fraction))
}

func mathFrexp(L *glua.LState) int {
	fraction, exponent := math.Frexp(numberArgument(L, 1))
	return Push(L, glua.LNumber(fraction), glua.LNumber(exponent))
}

func mathLdexp(L *glua.LState) int {
	return Push(L, glua.LNumber(math.Ldexp(numberArgument(L, 1), integerArgument(L, 2))))
}

// draw is math.random.
func (r Random) draw(L *glua.LState) int {
	draw := r(L)
	if draw == nil {
		L.RaiseError("there are no random numbers here")
	}
	low, high := 1.0, 0.0
	switch L.GetTop() {
	case 0:
		// 53 bits, as many as a float64 holds.
		return Push(L, glua.LNumber(float64(draw()>>11)/(1<<53)))
	case 1:
		high = numberArgument(L, 1)
	default:
		low, high = numberArgument(L, 1), numberArgument(L, 2)
	}
	if !(high >= low) || high-low > 1<<53 {
		L.RaiseError("math.random: the interval is empty or too large")
	}
	return Push(L, glua.LNumber(low+float64(draw()%(uint64(high-low)+1))))
}
