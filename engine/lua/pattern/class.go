package pattern

// A byteSet is a set of bytes: bit b is set when byte b is a member.
type byteSet [4]uint64

func (s *byteSet) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }

func (s *byteSet) add(b byte) { s[b>>6] |= 1 << (b & 63) }

func (s *byteSet) addRange(low, high byte) {
	for b := int(low); b <= int(high); b++ {
		s.add(byte(b))
	}
}

func (s *byteSet) union(other *byteSet) {
	for i := range s {
		s[i] |= other[i]
	}
}

func (s *byteSet) complement() (c byteSet) {
	for i := range s {
		c[i] = ^s[i]
	}
	return c
}

// classes are the sets of %a, %d and so on, by letter; an upper-case letter is the
// complement. They are the classes of C's ASCII locale, so that a pattern means the same
// on every machine.
var classes = func() (sets ['z' + 1]*byteSet) {
	for letter, text := range map[byte]string{
		'a': "AZaz", 'd': "09", 'l': "az", 'u': "AZ", 'w': "09AZaz", 'x': "09AFaf", 's': "\t\r  ", 'c': "\x00\x1f\x7f\x7f",
		'p': "!/:@[`{~", 'z': "\x00\x00",
	} {
		set := &byteSet{}
		for i := 0; i < len(text); i += 2 {
			set.addRange(text[i], text[i+1])
		}
		complement := set.complement()
		sets[letter], sets[letter-'a'+'A'] = set, &complement
	}
	return sets
}()

// classOf returns the set of %letter, or nil for a letter that stands for itself.
func classOf(letter byte) *byteSet {
	if int(letter) < len(classes) {
		return classes[letter]
	}
	return nil
}

// bracketSet reads a set of a pattern. The text is what follows the opening bracket, up to
// and including the closing bracket. A range needs both ends. A % just before the end
// takes the bracket as its character, as in C.
func bracketSet(text string) byteSet {
	var set byteSet
	negated := text[0] == '^'
	if negated {
		text = text[1:]
	}
	for i := 0; i < len(text)-1; i++ {
		switch {
		case text[i] == '%':
			i++
			if class := classOf(text[i]); class != nil {
				set.union(class)
			} else {
				set.add(text[i])
			}
		case i+3 < len(text) && text[i+1] == '-':
			set.addRange(text[i], text[i+2])
			i += 2
		default:
			set.add(text[i])
		}
	}
	if negated {
		return set.complement()
	}
	return set
}
