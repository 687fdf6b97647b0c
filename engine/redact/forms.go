package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A reading is one way to look at a text.
type reading struct {
	*automaton
	kind    kind
	classes [256]class // what each byte means
	stops   [256]bool  // the bytes with which an escape may begin
	words   []word
	sift    sift
}

type kind int

const (
	asText   kind = iota // characters; upper and lower case are the same
	asExact              // bytes, for secrets of which the other readings leave too little
	asBase64             // in both alphabets
	asHex                // digits
)

// A word is the text of a secret in the classes of a reading.
type word struct {
	classes []class
	partial bool // base64: the character after the word has bits of the secret too
}

// passed is the class of bytes that a reading passes over.
const passed class = 255

// readingsOf returns the readings that find secrets.
func readingsOf(secrets []string) []*reading {
	text, exact := newReading(asText), newReading(asExact)
	sixtyFour, digits := newReading(asBase64), newReading(asHex)
	for _, secret := range secrets {
		for _, form := range characterForms(secret) {
			if !text.add(form, MinLength) {
				exact.add(form, 1)
			}
		}
		for _, form := range byteForms(secret) {
			for offset := range 3 {
				encoded, partial := base64At(form, offset)
				sixtyFour.addWord(encoded, partial)
			}
			digits.add(hex.EncodeToString([]byte(form)), 1)
		}
	}
	var used []*reading
	for _, r := range []*reading{text, exact, sixtyFour, digits} {
		if len(r.words) > 0 {
			r.complete()
			used = append(used, r)
		}
	}
	return used
}

// newReading returns a reading in which the bytes that are the same have the same class.
// The class of a byte is one of these bytes until [reading.complete].
func newReading(k kind) *reading {
	r := &reading{kind: k}
	for _, c := range []byte(mayBegin) {
		r.stops[c] = c != '0' || k == asHex
	}
	for c := range r.classes {
		r.classes[c] = min(class(c), passed-1) // the last two bytes are not in UTF-8
	}
	same := func(bytes string, as class) {
		for _, c := range []byte(bytes) {
			r.classes[c] = as
		}
	}
	const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower := func(letters string) {
		for _, c := range []byte(letters) {
			r.classes[c] = c - 'A' + 'a'
		}
	}
	switch k {
	case asText:
		lower(upper)
		same("+", ' ')       // in the query of a URL
		same("\x00", passed) // every second byte of UTF-16
		same("\\", passed)   // escapes, at any level of JSON within JSON
		same("\r", passed)   // before the end of a line
	case asBase64:
		same("-", '+')
		same("_", '/')
		same("\x00\\\r\n\t ", passed) // between lines
	case asHex:
		lower("ABCDEF")
		same("\x00\\\r\n\t :-,", passed) // between bytes
	}
	return r
}

// add adds the word of a text, unless it has fewer than least classes.
func (r *reading) add(text string, least int) bool {
	if len(r.read(text)) < least {
		return false
	}
	r.addWord(text, false)
	return true
}

func (r *reading) addWord(text string, partial bool) {
	r.words = append(r.words, word{r.read(text), partial})
}

// read returns the classes of a text.
func (r *reading) read(text string) []class {
	classes := make([]class, 0, len(text))
	for _, c := range []byte(text) {
		if c := r.classes[c]; c != passed {
			classes = append(classes, c)
		}
	}
	return classes
}

// complete numbers the classes that words have, and makes the automaton.
func (r *reading) complete() {
	var numbers [256]class // 0: in no word
	width := 1
	for _, w := range r.words {
		for i, c := range w.classes {
			if numbers[c] == 0 {
				numbers[c] = class(width)
				width++
			}
			w.classes[i] = numbers[c]
		}
	}
	for c, same := range r.classes {
		if same != passed {
			r.classes[c] = numbers[same]
		}
	}
	r.automaton, r.sift = newAutomaton(r.words, width), newSift(r)
}

// characterForms returns a secret in the encodings of characters in which servers may
// return it. Most secrets are ASCII, for which the encodings are the same.
func characterForms(secret string) []string {
	forms := []string{secret}
	if !isASCII(secret) {
		little, big := utf16Of(secret)
		forms = append(forms, little, big)
		if latin, ok := latin1Of(secret); ok {
			forms = append(forms, latin)
		}
		forms = append(forms, readAsLatin1(secret))
	}
	for _, form := range forms {
		if !utf8.ValidString(form) { // journals and JSON replace what is not UTF-8
			forms = append(forms, strings.ToValidUTF8(form, "\uFFFD"), string([]rune(form)))
		}
	}
	return unique(forms)
}

// byteForms returns a secret as the bytes that base64 and hexadecimal text may encode: the
// secret itself, and the secret within JSON, within a URL, and in UTF-16.
func byteForms(secret string) []string {
	little, big := utf16Of(secret)
	forms := []string{
		secret, strings.Trim(little, "\x00"), strings.Trim(big, "\x00"),
		quoted(secret, true), quoted(secret, false), strings.ReplaceAll(quoted(secret, false), "/", `\/`),
		url.QueryEscape(secret), url.PathEscape(secret),
	}
	if latin, ok := latin1Of(secret); ok {
		forms = append(forms, latin)
	}
	return unique(forms)
}

func unique(texts []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, text := range texts {
		if !seen[text] && text != "" {
			seen[text] = true
			out = append(out, text)
		}
	}
	return out
}

// base64At returns the characters of base64 text that a text alone determines when it
// begins at a byte of which the number has this remainder modulo 3. partial says that
// the text has bits in one more character after them.
func base64At(text string, offset int) (encoded string, partial bool) {
	all := base64.RawStdEncoding.EncodeToString(append(make([]byte, offset), text...))
	before := []int{0, 2, 3}[offset] // characters with bits of the bytes before
	bits := 8 * (offset + len(text))
	return all[before : bits/6], bits%6 != 0
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// utf16Of returns a text in UTF-16 of both byte orders.
func utf16Of(text string) (little, big string) {
	var l, b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		l, b = binary.LittleEndian.AppendUint16(l, unit), binary.BigEndian.AppendUint16(b, unit)
	}
	return string(l), string(b)
}

// latin1Of returns a text that is not ASCII in ISO 8859-1, if it can be written so.
func latin1Of(text string) (latin string, ok bool) {
	var b []byte
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), len(b) < len(text)
}

// readAsLatin1 returns the text that a program has which takes UTF-8 for ISO 8859-1, as
// some do with headers.
func readAsLatin1(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// quoted returns text as JSON writes it, without the quotes. Some encoders escape the
// characters that are special in HTML.
func quoted(text string, escapeHTML bool) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(text) // text can always be written
	return strings.TrimSuffix(b.String(), "\"\n")[1:]
}
