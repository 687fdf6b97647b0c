package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"
)

// The secrets of the tables: a key, characters that every encoder escapes, characters that
// are not ASCII, and texts that look like escapes.
var secrets = []string{
	"0123456789abcdef0123456789abcdef", "u+TestKeyThatIsTwen1", "xoxb-12-Abc", "pa/ss+w=rd?", `p<a&s>s"w\ö?rd/+`, "a b\nc\td", "??>>~~~", "123456",
	"41abcdef", "u0041bcde", "nabcdef", "amp;abcd", "пароль-1", "密码是这个", "%41%42abc", `back\\slash`, "-----BEGIN KEY-----\nMIIBVQ+/\n-----END KEY-----",
}

// TestA7Forms: a secret is masked in the output of every common encoder, and what stands
// before and after it stays.
func TestA7Forms(t *testing.T) {
	for _, form := range []struct {
		name   string
		encode func(string) string
	}{
		{"as it is", func(s string) string { return s }},
		{"upper case", strings.ToUpper},
		{"lower case", strings.ToLower},
		{"the name of a header", http.CanonicalHeaderKey},
		{"JSON", func(s string) string { return jsonText(s, true) }},
		{"JSON without HTML", func(s string) string { return jsonText(s, false) }},
		{"JSON with escaped slashes", jsonSlashes},
		{"JSON in ASCII", jsonASCII},
		{"JSON within JSON", func(s string) string { return jsonText(jsonText(s, true), true) }},
		{"JSON within JSON within JSON", func(s string) string { return jsonText(jsonText(jsonSlashes(s), false), true) }},
		{"every character as \\u00xx", func(s string) string { return units(s, `\u%04x`) }},
		{"every character as \\u00XX", func(s string) string { return units(s, `\u%04X`) }},
		{"every character as \\u00xx, within JSON", func(s string) string { return jsonText(units(s, `\u%04x`), true) }},
		{"every byte as \\xXX", func(s string) string { return eachByte(s, `\x%02x`) }},
		{"every byte as %XX", func(s string) string { return eachByte(s, `%%%02X`) }},
		{"every byte as %xx", func(s string) string { return eachByte(s, `%%%02x`) }},
		{"every byte as %25xx", func(s string) string { return eachByte(s, `%%25%02x`) }},
		{"query", url.QueryEscape},
		{"query in lower case", func(s string) string { return lowerPercent(url.QueryEscape(s)) }},
		{"path", url.PathEscape},
		{"query within a query", func(s string) string { return url.QueryEscape(url.QueryEscape(s)) }},
		{"query of JSON", func(s string) string { return url.QueryEscape(jsonText(s, true)) }},
		{"JSON of a query", func(s string) string { return jsonText(url.QueryEscape(s), true) }},
		{"HTML", html.EscapeString},
		{"HTML within HTML", func(s string) string { return html.EscapeString(html.EscapeString(s)) }},
		{"HTML within JSON", func(s string) string { return jsonText(html.EscapeString(s), true) }},
		{"every character as &#1;", func(s string) string { return runes(s, "&#%d;") }},
		{"every character as &#x1;", func(s string) string { return runes(s, "&#x%x;") }},
		{"UTF-16, little endian", func(s string) string { return utf16Text(s, false) }},
		{"UTF-16, big endian", func(s string) string { return utf16Text(s, true) }},
		{"UTF-16 within JSON", func(s string) string { return jsonText(utf16Text(s, false), true) }},
		{"UTF-16 in a query", func(s string) string { return url.QueryEscape(utf16Text(s, true)) }},
		{"UTF-16 as the journal keeps it", func(s string) string { return strings.ToValidUTF8(utf16Text(s, false), "\uFFFD") }},
		{"UTF-8 taken for ISO 8859-1", func(s string) string { return jsonASCII(latin1(s)) }},
		{"hex", func(s string) string { return hex.EncodeToString([]byte(s)) }},
		{"hex in upper case", func(s string) string { return fmt.Sprintf("%X", s) }},
		{"hex with spaces", func(s string) string { return fmt.Sprintf("% x", s) }},
		{"hex with colons", func(s string) string { return strings.ReplaceAll(fmt.Sprintf("% X", s), " ", ":") }},
		{"hex as numbers", func(s string) string { return strings.ReplaceAll(fmt.Sprintf("% #x", s), " ", ", ") }},
		{"hex in lines", func(s string) string { return wrapped(hex.EncodeToString([]byte(s)), 16, "\n") }},
		{"hex of JSON", func(s string) string { return fmt.Sprintf("%x", jsonText(s, true)) }},
		{"hex of UTF-16", func(s string) string { return fmt.Sprintf("%x", utf16Text(s, true)) }},
		{"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
		{"base64 without padding", func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }},
		{"base64 of URLs", func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }},
		{"base64 of URLs without padding", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }},
		{"base64 in a query", func(s string) string { return url.QueryEscape(base64.RawStdEncoding.EncodeToString([]byte(s))) }},
		{"base64 within JSON", func(s string) string { return jsonSlashes(base64.StdEncoding.EncodeToString([]byte(s))) }},
		{"base64 of UTF-16", func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(utf16Text(s, false))) }},
	} {
		for _, secret := range secrets {
			if strings.Contains(form.name, "case") && !isASCII(secret) {
				continue // the case of other letters is kept apart
			}
			written := form.encode(secret)
			for _, around := range [][2]string{{"", ""}, {"before ", " after"}, {`{"k": "`, `", "l": 1}`}, {"<a>", "</a>"}, {"k=", "&l=m"}} {
				got := redactorOf("another-secret", secret).Redact(around[0] + written + around[1])
				middle, ok := strings.CutPrefix(got, around[0])
				middle, ok2 := strings.CutSuffix(middle, around[1])
				if !ok || !ok2 || strings.Trim(middle, "\x000A\\u%x") != "‹redacted›" { // zeros of UTF-16 may stay
					t.Errorf("%s of %q: got %q for %q", form.name, secret, got, around[0]+written+around[1])
				}
			}
		}
	}
}

// TestA7Base64: in the base64 of a longer text, the characters that a secret alone
// determines are masked, at each of the three offsets, in both alphabets, also in lines.
func TestA7Base64(t *testing.T) {
	for _, secret := range secrets {
		for _, before := range []string{"", "a", "ab", "abc", "Basic user:", `{"token": "`} {
			for _, after := range []string{"", "z", "yz", "xyz", `", "k": 1}`} {
				for name, encoding := range map[string]*base64.Encoding{
					"std": base64.StdEncoding, "raw std": base64.RawStdEncoding, "url": base64.URLEncoding, "raw url": base64.RawURLEncoding,
				} {
					text := encoding.EncodeToString([]byte(before + secret + after))
					// The characters with bits of nothing but the secret.
					from, to := (8*len(before)+5)/6, 8*(len(before)+len(secret))/6
					for line, written := range map[string]string{
						"one line": text, "64 columns": wrapped(text, 64, "\n"), "76 columns": wrapped(text, 76, "\r\n"), "JSON": jsonText(wrapped(text, 8, "\n"), true),
					} {
						got := strings.NewReplacer("\r", "", "\n", "", `\r`, "", `\n`, "").Replace(redactorOf(secret).Redact(written))
						shown, end, ok := strings.Cut(got, "‹redacted›")
						if !ok || len(shown) > from || len(end) > len(text)-to {
							t.Errorf("%q, %q, %q, %s, %s: got %q for %q", before, secret, after, name, line, got, written)
						}
						if !strings.HasPrefix(text, shown) || !strings.HasSuffix(text, end) || len(shown) < from || len(end) < len(text)-to-3 {
							t.Errorf("%q, %q, %q, %s, %s: too much is masked: got %q for %q", before, secret, after, name, line, got, written)
						}
					}
				}
			}
		}
	}
}

// TestA7Within: a secret is masked also where the characters before it would be an escape
// together with its first ones, and where it is cut by none.
func TestA7Within(t *testing.T) {
	for _, test := range []struct{ secret, text, want string }{
		{"41ab/cdef", "100%41ab%2Fcdef", "100%‹redacted›"},
		{"token/abc", `C:\\token\/abc`, `C:‹redacted›`},
		{"u0041/abc", `C:\u0041\/abc`, `C:‹redacted›`},
		{"nabcdefg", `x\nabcdefg`, `x‹redacted›`},
		{"abcdefn", `abcdef\n`, `‹redacted›`},
		{"#43;abcd", "&#43;abcd", "&‹redacted›"},
		{`"quoted"`, `{"k": "\"quoted\""}`, `{"k": "‹redacted›"}`},
		{"abcdef", `\\\\\\\\abcdef`, `‹redacted›`},
		{"a\\b\\c\\", `{"k": "a\\b\\c\\"}`, `{"k": "‹redacted›"}`},
		{"smile\U0001F600!", `smile\ud83d\ude00!`, `‹redacted›`},
		{"smile\U0001F600!", `{\"k\":\"smile\\ud83d\\uDE00!\"}`, `{\"k\":\"‹redacted›\"}`},
		{"smile\U0001F600!", `smile\U0001f600! smile\u{1f600}!`, `‹redacted› ‹redacted›`},
		{"w\xf6rd-in-latin-1", "w\uFFFDrd-in-latin-1 w%F6rd-in-latin-1", "‹redacted› ‹redacted›"},
	} {
		if got := redactorOf(test.secret).Redact(test.text); got != test.want {
			t.Errorf("%q in %q: got %q, want %q", test.secret, test.text, got, test.want)
		}
	}
}

// TestA7Unchanged: a text without a secret stays as it is, also one with escapes, and with
// a part of a secret.
func TestA7Unchanged(t *testing.T) {
	r := redactorOf(secrets...)
	for _, text := range []string{
		"", "a", "The quick brown fox jumps over the lazy dog.", "100%", "%", "\\", "&", "&;", "&#;", "&#x;", "&nosuchname;", "%4", "%zz", `\u`, `\u00`, `\u{`, `\ud83d`,
		`\ud83d\u`, `\x`, "0x", "0", "\x00", "\xff\xfe", "u+TestKeyThatIsTwen", "012345 678", "xoxb-12-Ab", "dTErVGVzdEtleQ==", "302e31", "a b\nc\t", strings.Repeat("%25", 100),
		strings.Repeat("&amp;", 100), strings.Repeat(`\`, 100), strings.Repeat(`\u005c`, 100),
	} {
		if got := r.Redact(text); got != text {
			t.Errorf("%q: got %q", text, got)
		}
	}
}

func jsonText(s string, escapeHTML bool) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(s)
	return strings.TrimSuffix(b.String(), "\"\n")[1:]
}

func jsonSlashes(s string) string { return strings.ReplaceAll(jsonText(s, false), "/", `\/`) }

// jsonASCII is JSON as Python and PHP write it.
func jsonASCII(s string) string {
	var b strings.Builder
	for _, r := range jsonSlashes(s) {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			b.WriteString(units(string(r), `\u%04x`))
		}
	}
	return b.String()
}

func units(s, format string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, format, unit)
	}
	return b.String()
}

func runes(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

func eachByte(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// lowerPercent writes the digits of %XX in lower case.
func lowerPercent(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '%' {
			copy(b[i:], bytes.ToLower(b[i:i+3]))
		}
	}
	return string(b)
}

func utf16Text(s string, big bool) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		if big {
			b = append(b, byte(unit>>8), byte(unit))
		} else {
			b = append(b, byte(unit), byte(unit>>8))
		}
	}
	return string(b)
}

func latin1(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

func wrapped(s string, columns int, end string) string {
	var lines []string
	for len(s) > columns {
		lines, s = append(lines, s[:columns]), s[columns:]
	}
	return strings.Join(append(lines, s), end)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}
