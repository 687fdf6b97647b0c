package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// FuzzRedact: whatever stands before and after it, no form of a secret survives; and what
// is masked is a form of a secret.
func FuzzRedact(f *testing.F) {
	for _, secret := range []string{"0123456789abcdef", "u+TestKeyThatIsTwen1", `p<a&s>s"w\ö?rd/+`, "密码是这个", "%2541&amp;amp;", "aaaaaab", "Ghi-jkl.Mn op+q/z"} {
		f.Add(secret, "before ", " after", []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
		f.Add(secret, `\u00`, "=", []byte{20, 3, 3, 3})
		f.Add(secret, "%", "%", []byte{21, 1})
		f.Add(secret, "&", ";", []byte{2})
		f.Add(secret, secret[:3], secret, []byte{30, 0})
	}
	f.Fuzz(func(t *testing.T, secret, before, after string, choices []byte) {
		const over = "\\\r" // what the reading of characters passes over
		rest := strings.NewReplacer("\\", "", "\r", "").Replace(secret)
		if len(rest) < MinLength || !utf8.ValidString(secret) || strings.Trim(secret, over) != secret || len(choices) == 0 || strings.ContainsFunc(secret, oddInHTML) {
			t.Skip()
		}
		form, tolerance := written(secret, before, choices)
		text := before + form + after
		r := &Redactor{}
		r.Add(secret, "another-secret")
		var found []span
		for _, reading := range *r.readings.Load() {
			some := reading.find(text, nil)
			for i, part := range some {
				// Where characters of the secret may be parts of escapes, there is more than one
				// way to decode. Of occurrences that overlap, the later ones are not whole.
				overlaps := slices.ContainsFunc(some[:i], func(s span) bool { return s.end > part.start })
				if !overlaps && !strings.ContainsAny(strings.ToLower(secret), "%&#;{}\\\r0123456789abcdefux") && !isForm(reading.kind, text[part.start:part.end], secret) && !isForm(reading.kind, text[part.start:part.end], "another-secret") {
					t.Errorf("%q in %q is no form of %q", text[part.start:part.end], text, secret)
				}
			}
			found = append(found, some...)
		}
		from, to := len(before)+tolerance, len(before)+len(form)-tolerance
		if !slices.ContainsFunc(joined(found), func(s span) bool { return s.start <= from && s.end >= to }) {
			t.Errorf("%q written as %q survives in %q: %v, got %q", secret, form, text, found, r.Redact(text))
		}
		if clean := strings.Map(plain, text); strings.Trim(secret, "%&\\;.+ \n") != "" && r.Redact(clean) != clean {
			t.Errorf("%q is masked: %q", clean, r.Redact(clean))
		}
	})
}

// oddInHTML reports whether &#N; of a character is another character.
func oddInHTML(r rune) bool { return r == 0 || r == '\r' || 0x80 <= r && r < 0xa0 }

// plain makes a text of characters in which no secret is.
func plain(r rune) rune {
	if strings.ContainsRune("%&\\;. \n", r) {
		return r
	}
	return '.'
}

// written returns a form of a secret. tolerance is how many characters at its ends do not
// depend on the secret alone.
func written(secret, before string, choices []byte) (form string, tolerance int) {
	switch choices[0] {
	case 20: // base64 of a longer text
		prefix := strings.Repeat("x", int(choices[len(choices)-1])%3)
		return base64.StdEncoding.EncodeToString([]byte(prefix + secret + "yz")), 7
	case 21:
		return hex.EncodeToString([]byte(secret)), 0
	case 30:
		text, _ := json.Marshal(secret)
		text, _ = json.Marshal(string(text[1 : len(text)-1]))
		return string(text[1 : len(text)-1]), 0
	}
	var b strings.Builder
	n := 0
	for _, r := range secret {
		b.WriteString(spelled(r, choices[n%len(choices)]))
		n++
	}
	return strings.TrimLeft(b.String(), "\x00"), 0
}

// spelled writes a character in one of its forms.
func spelled(r rune, choice byte) string {
	units := func(backslash string) string {
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, "%su%04x", backslash, unit)
		}
		return b.String()
	}
	percent := ""
	for _, c := range []byte(string(r)) {
		percent += fmt.Sprintf("%%%02x", c)
	}
	switch choice % 12 {
	case 1:
		return units(`\`)
	case 2:
		return strings.ToUpper(percent)
	case 3:
		return percent
	case 4:
		return strings.ReplaceAll(percent, "%", "%25")
	case 5:
		return fmt.Sprintf("&#%d;", r)
	case 6:
		return fmt.Sprintf("&#x%X;", r)
	case 7:
		return html.EscapeString(html.EscapeString(string(r)))
	case 8:
		return units(`\\\\`)
	case 9:
		return url.QueryEscape(string(r))
	case 10:
		text, _ := json.Marshal(string(r))
		return string(text[1 : len(text)-1])
	case 11:
		return "\x00" + string(r)
	}
	return string(r)
}

// joined joins spans that overlap.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.start <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, s.end)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// isForm reports whether a part of a text that a reading found is a form of a secret. It
// decodes the part until nothing changes, and the secret too, and compares the two.
func isForm(k kind, part, secret string) bool {
	switch k {
	case asHex:
		digits := regexp.MustCompile(`[^0-9a-f]|0x`).ReplaceAllString(decoded(strings.ToLower(part)), "")
		for _, form := range byteForms(secret) {
			if strings.Contains(digits, hex.EncodeToString([]byte(form))) {
				return true
			}
		}
		return strings.ContainsAny(part, `%\&`) // digits may be written as escapes
	case asBase64:
		chars := strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(part)
		for offset := range 4 {
			bytes, _ := base64.RawStdEncoding.DecodeString(strings.Repeat("A", offset) + chars + strings.Repeat("A", (8-offset-len(chars)%4)%4))
			for _, form := range byteForms(secret) {
				if strings.Contains(string(bytes), form[1:len(form)-1]) {
					return true
				}
			}
		}
		return strings.ContainsAny(part, "%\\&\n\r\t \x00")
	}
	for _, form := range characterForms(secret) {
		if decoded(part) == decoded(form) || part == form {
			return true
		}
	}
	return false
}

var escapes = regexp.MustCompile(`%[0-9a-fA-F]{2}|\\+u[0-9a-fA-F]{4}|\\+x[0-9a-fA-F]{2}|\\+U[0-9a-fA-F]{8}|\\+u\{[0-9a-fA-F]{1,7}\}`)

// decoded returns a text without escapes, and without what the reading passes over. A
// control character becomes the letter with which JSON writes it.
func decoded(text string) string {
	for {
		next := escapes.ReplaceAllStringFunc(text, func(e string) string {
			value, err := strconv.ParseUint(strings.Trim(e, `%\uUx{}`), 16, 32)
			switch {
			case strings.HasPrefix(e, "%") || strings.Contains(e, "x"):
				return string([]byte{byte(value)})
			case err != nil:
				return e
			case utf16.IsSurrogate(rune(value)):
				return fmt.Sprintf("<%04x>", value)
			}
			return string(rune(value))
		})
		next = regexp.MustCompile(`<d([89ab]..)>\\*<d([c-f]..)>`).ReplaceAllStringFunc(next, func(pair string) string {
			high, _ := strconv.ParseUint(pair[1:5], 16, 32)
			low, _ := strconv.ParseUint(pair[len(pair)-5:len(pair)-1], 16, 32)
			return string(utf16.DecodeRune(rune(high), rune(low)))
		})
		next = html.UnescapeString(next)
		if next == text {
			break
		}
		text = next
	}
	return strings.ToLower(strings.NewReplacer("\\", "", "\x00", "", "\r", "", "\n", "n", "\t", "t", "\b", "b", "\f", "f", "+", " ").Replace(text))
}
