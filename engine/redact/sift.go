package redact

// A sift finds the places of a text at which the first three classes of a word may stand,
// or at which an escape may begin. It looks at three bytes at a time, and at most places
// there is nothing.
//
// The words are dealt to the bits of a number, except for the highest one, which stands
// for an escape. A byte has the bits of the words that it may be the first, second or
// third class of.
type sift [3][256]uint64

const (
	wordBits  = 63
	escapeBit = 1 << wordBits
	anything  = 1<<64 - 1 // of a byte after which the word may go on anywhere
)

func newSift(r *reading) sift {
	var ofClass, ofByte sift
	for number, w := range r.words {
		for place := range ofClass {
			ofClass[place][w.classes[place]] |= 1 << (number % wordBits)
		}
	}
	for place := range ofByte {
		for c, class := range r.classes {
			bits := ofClass[place][class]
			if place > 0 {
				bits |= escapeBit
				if class == passed || r.stops[c] {
					bits = anything
				}
			} else if r.stops[c] {
				bits |= escapeBit
			}
			ofByte[place][c] = bits
		}
	}
	return ofByte
}

// next returns the next such place, or the length of the text. No word is as short as the
// last two bytes.
func (s *sift) next(text string, at int) int {
	for ; at+2 < len(text); at++ {
		second := s[1][text[at+1]]
		if two := s[0][text[at]] & second; two != 0 && (two&s[2][text[at+2]] != 0 || second == anything) {
			return at
		}
	}
	return len(text)
}
