package seeded

import (
	"fmt"
	"hash/fnv"
)

// Fraction returns the nth number of a sequence of numbers in [0, 1). Each pair of seed
// and purpose has its own sequence.
func Fraction(seed int64, purpose string, n int) float64 {
	digest := fnv.New64a()
	fmt.Fprintf(digest, "%d %s %d", seed, purpose, n)
	// The last bytes of an FNV hash hardly reach its high bits. The multiplication
	// (by the constant of Fibonacci hashing) spreads them.
	const spread = 0x9E3779B97F4A7C15
	mixed := digest.Sum64()
	mixed ^= mixed >> 32
	mixed *= spread
	return float64(mixed>>11) / (1 << 53)
}
