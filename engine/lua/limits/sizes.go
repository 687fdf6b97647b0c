package limits

import (
	"math/bits"

	glua "github.com/yuin/gopher-lua"
)

// How many bytes the values of a script take. They are those of gopher-lua 1.1.2 and Go
// 1.26 on 64-bit machines, rounded up; TestSizes compares them with the heap.
const (
	emptyTable    = 96
	slotBytes     = 16 // an item of a list; every value is an interface
	numberBytes   = 16 // a number
	textBytes     = 16 // a text, in addition to its bytes
	functionBytes = 96
	variableBytes = 64 // a variable that a closure captured, with its place in the closure
	mapBytes      = 48 // an empty map
	userBytes     = 48
	// smallValue is what every new place of a table, and every captured variable, is
	// charged for the value in it. So values of this size are not charged when they are
	// made: numbers and short texts.
	smallValue = 256
)

// A shape is what tells how large a table is.
type shape struct{ reserved, items, keys int }

func shapeOf(t *glua.LTable) shape {
	content := contentOf(t)
	return shape{cap(content.array), len(content.array), len(content.keys)}
}

// grew charges for the growth of a table.
func (b *Budget) grew(t *glua.LTable, before shape) {
	after := shapeOf(t)
	if after == before {
		return
	}
	growth := slotBytes*int64(after.reserved-before.reserved) + smallValue*int64(after.items-before.items)
	if after.keys != before.keys {
		growth += fieldsBytes(after.keys) - fieldsBytes(before.keys) + smallValue*int64(after.keys-before.keys)
	}
	if items := after.items - before.items; items > itemsPerStep {
		b.Spend(int64(items / itemsPerStep)) // a far key fills the list up to it
	}
	if growth > 0 {
		b.keep(growth)
	}
}

// itemsPerStep is how many items of a list are filled for one step.
const itemsPerStep = 16

// tableSize returns how many bytes a table takes, without its values.
func tableSize(t *glua.LTable) int64 {
	content := contentOf(t)
	return emptyTable + slotBytes*int64(cap(content.array)) + fieldsBytes(len(content.keys))
}

// fieldsBytes returns how many bytes the fields of a table take, without their names and
// values. A field that was set to nil still counts: gopher-lua keeps its name. Each name
// is a key of two maps, and of a list for the order of pairs.
func fieldsBytes(keys int) int64 {
	if keys == 0 {
		return 0
	}
	return mapSize(keys, 32) + mapSize(keys, 24) + (slotBytes+slotBytes/4+textBytes)*int64(keys)
}

// mapSize returns how many bytes a map of Go takes. Its places come in groups of eight
// with a byte for each place, and at most seven eighths of them are used.
func mapSize(entries int, place int64) int64 {
	places := 8
	if entries > places {
		places = 1 << bits.Len(uint((entries*8+6)/7-1))
	}
	return mapBytes + int64(places)*(place+1)
}
