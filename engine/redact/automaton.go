package redact

// An automaton finds words in a sequence of classes: the algorithm of Aho and Corasick.
// Its state after a class is the longest beginning of a word that the classes so far end
// with.
type automaton struct {
	width int     // every class is below it
	nodes []node  // node 0 is the root: no beginning of a word
	rows  []int32 // the next states of the nodes that have a row
}

// A class is what a byte means to a reading. The bytes of a class are the same to it. 0 is
// the class of the bytes that are in no word.
type class = uint8

// A node is a state. Only the root and nodes with several children have a row, since a
// row of every node would need megabytes for a long secret.
type node struct {
	row   int32 // where its row of next states begins, or none
	child int32 // the only child
	only  class // the class of the only child
	fail  int32 // the state of the longest end of this beginning that begins a word too
	word  int32 // the longest word that ends here, or none
	depth int32 // how many classes the beginning has
}

const none = -1

// newAutomaton returns the automaton of words.
func newAutomaton(words []word, width int) *automaton {
	most := 1
	for _, w := range words {
		most += len(w.classes)
	}
	t := make(trie, 1, most)
	t[0].child, t[0].next, t[0].word = none, none, none
	for number, w := range words {
		at := int32(0)
		for _, c := range w.classes {
			at = t.child(at, c)
		}
		if t[at].word == none {
			t[at].word = int32(number)
		}
	}
	a := &automaton{width: width, nodes: make([]node, len(t))}
	// The nodes of short beginnings come first: the links of a node lead to shorter ones.
	queue := make([]int32, 1, len(t))
	for n := 0; n < len(queue); n++ {
		for child := t[queue[n]].child; child != none; child = t[child].next {
			queue = append(queue, child)
		}
		a.link(t, queue[n])
	}
	return a
}

// A trie has the beginnings of words as a tree.
type trie []struct {
	class       class // from its parent
	child, next int32 // its first child, and the next child of its parent
	word        int32 // the word that ends here
}

// child returns the child of a node with a class, which it adds if there is none.
func (t *trie) child(at int32, c class) int32 {
	for child := (*t)[at].child; child != none; child = (*t)[child].next {
		if (*t)[child].class == c {
			return child
		}
	}
	added := (*t)[at]
	added.class, added.next, added.child, added.word = c, (*t)[at].child, none, none
	*t = append(*t, added)
	(*t)[at].child = int32(len(*t) - 1)
	return (*t)[at].child
}

// link sets the links of a node and the fail states of its children.
func (a *automaton) link(t trie, at int32) {
	n := &a.nodes[at]
	n.row, n.child, n.word = none, none, t[at].word
	if n.word == none && at != 0 {
		n.word = a.nodes[n.fail].word
	}
	child := t[at].child
	switch {
	case at == 0 || child != none && t[child].next != none:
		a.addRow(t, at)
	case child != none:
		n.child, n.only = child, t[child].class
	}
	for ; child != none; child = t[child].next {
		a.nodes[child].depth = n.depth + 1
		if at != 0 {
			a.nodes[child].fail = a.step(n.fail, t[child].class)
		}
	}
}

// addRow writes the row of a node. A class without a child leads where it leads from the
// fail state.
func (a *automaton) addRow(t trie, at int32) {
	row := make([]int32, a.width)
	if at != 0 {
		for c := range row {
			row[c] = a.step(a.nodes[at].fail, class(c))
		}
	}
	for child := t[at].child; child != none; child = t[child].next {
		row[t[child].class] = child
	}
	a.nodes[at].row = int32(len(a.rows))
	a.rows = append(a.rows, row...)
}

// step returns the state after a class.
func (a *automaton) step(state int32, c class) int32 {
	for {
		n := &a.nodes[state]
		switch {
		case n.row != none:
			return a.rows[int(n.row)+int(c)]
		case n.only == c && n.child != none:
			return n.child
		}
		state = n.fail
	}
}
