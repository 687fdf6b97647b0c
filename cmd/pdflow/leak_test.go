package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
)

// formsOf returns a key in the forms in which servers echo keys. No output may have one.
func formsOf(key string) map[string]string {
	each := func(format string) string {
		var b strings.Builder
		for _, c := range []byte(key) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
	twice, _ := json.Marshal(each(`\u%04X`))
	wide := ""
	for _, unit := range utf16.Encode([]rune(key)) {
		wide += string([]byte{byte(unit), byte(unit >> 8)})
	}
	forms := map[string]string{
		"plain": key, "upper case": strings.ToUpper(key), "lower case": strings.ToLower(key),
		"hex": hex.EncodeToString([]byte(key)), "HEX": fmt.Sprintf("%X", key), "spaced hex": fmt.Sprintf("% x", key), "colon hex": strings.ReplaceAll(fmt.Sprintf("% x", key), " ", ":"),
		"query": url.QueryEscape(key), "lower query": strings.ToLower(url.QueryEscape(key)), "percent": each("%%%02x"), "twice": url.QueryEscape(url.QueryEscape(key)),
		"escapes": each(`\u%04x`), "escapes in JSON": string(twice[1 : len(twice)-1]), "slashes": strings.ReplaceAll(key, "/", `\/`),
		"entities": each("&#%d;"), "HTML": html.EscapeString(key), "UTF-16": wide,
	}
	for offset, before := range []string{"", "a", "ab"} {
		for name, e := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "base64 of URLs": base64.RawURLEncoding} {
			text := e.EncodeToString([]byte(before + key + "xyz"))
			// The characters that the key alone determines.
			forms[fmt.Sprintf("%s at %d", name, offset)] = text[(8*offset+5)/6 : 8*(offset+len(key))/6]
		}
	}
	return forms
}

var spaces = regexp.MustCompile(`\\[nr]|\s`)

// leakOf returns the name of a key of scriptKeys that a text has in any form, and the form. It is empty
// without one.
func leakOf(text string) string {
	joined := spaces.ReplaceAllString(text, "")
	for name, key := range scriptKeys {
		for form, written := range formsOf(key) {
			if strings.Contains(text, written) || strings.HasPrefix(form, "base64") && strings.Contains(joined, written) {
				return "$" + name + " as " + form
			}
		}
	}
	return ""
}

// TestLeakOf proves that leakOf finds every form.
func TestLeakOf(t *testing.T) {
	for name, key := range scriptKeys {
		for form, written := range formsOf(key) {
			if got := leakOf("before " + written + " after"); !strings.HasPrefix(got, "$"+name) {
				t.Errorf("%s as %s: got %q", name, form, got)
			}
		}
	}
	if got := leakOf("nothing here"); got != "" {
		t.Errorf("got %q", got)
	}
}
