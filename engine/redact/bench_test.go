package redact_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// The benchmarks come in pairs: the redactor, and its bound, a strings.Replacer of a few
// forms, which is what the redactor was before it read escapes. The result is the ratio
// of the two in one run.

// benchSecrets returns ten keys.
func benchSecrets() []string {
	var keys []string
	for i := range 10 {
		keys = append(keys, fmt.Sprintf("%c%d+key-%x/", 'a'+2*i, i, 0xc0ffee*(i+1)*7919))
	}
	return keys
}

// benchReplacer replaces the secrets as they are, in URLs, in JSON and in base64.
func benchReplacer() *strings.Replacer {
	var forms []string
	for _, s := range benchSecrets() {
		forms = append(forms, s, url.QueryEscape(s), url.PathEscape(s), jsonText(s, true), jsonText(s, false))
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			forms = append(forms, e.EncodeToString([]byte(s)))
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, form := range slices.Compact(forms) {
		pairs = append(pairs, form, "‹redacted›")
	}
	return strings.NewReplacer(pairs...)
}

// benchJSON returns 1 MB of JSON, with or without secrets.
func benchJSON(secrets ...string) string {
	var b strings.Builder
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, `{"id": "P%06d", "summary": "The disk of db%d.example.com is full: 97%% of \/var are used", "created_at": "2026-12-01T0%d:00:00Z", "note": "first line\nsecond \"line\""},`+"\n", i, i%40, i%10)
		if len(secrets) > 0 && i%10 == 0 {
			fmt.Fprintf(&b, `{"token": %q},`+"\n", secrets[i/10%len(secrets)])
		}
	}
	return b.String()
}

func benchmark(b *testing.B, redact func(string) string, text string) {
	b.Helper()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		redact(text)
	}
}

// BenchmarkRedact1MB masks ten secrets in 1 MB of JSON that has none of them. The goal is
// twice its bound.
func BenchmarkRedact1MB(b *testing.B) {
	benchmark(b, redactorOf(benchSecrets()...).Redact, benchJSON())
}

// BenchmarkRedact1MBBound does the same with a strings.Replacer.
func BenchmarkRedact1MBBound(b *testing.B) { benchmark(b, benchReplacer().Replace, benchJSON()) }

// BenchmarkRedactFound1MB masks ten secrets in 1 MB of JSON that has many of them.
func BenchmarkRedactFound1MB(b *testing.B) {
	benchmark(b, redactorOf(benchSecrets()...).Redact, benchJSON(benchSecrets()...))
}

// BenchmarkRedactFound1MBBound does the same with a strings.Replacer.
func BenchmarkRedactFound1MBBound(b *testing.B) {
	benchmark(b, benchReplacer().Replace, benchJSON(benchSecrets()...))
}

// BenchmarkAdd adds one key to a redactor, as each call with a key in plain text does.
func BenchmarkAdd(b *testing.B) {
	for b.Loop() {
		redactorOf("0123456789abcdef0123456789abcdef")
	}
}
