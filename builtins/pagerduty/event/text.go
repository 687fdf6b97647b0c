package event

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// hashBytes is how many bytes of the hash a changed key ends in. 16 bytes do not collide by accident.
const hashBytes = 16

// Key returns the incident key that is sent for a key. A key that PagerDuty takes as it is, valid text of at
// most 255 characters, is never changed. Any other key is shortened and ends in a hash of its bytes, so two
// keys never become one. The result for a key is the same in every release, because incidents stay open
// longer than a release is used.
func Key(key string) string {
	if wrongKey(key) == "" {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	end := "~" + hex.EncodeToString(sum[:hashBytes])
	runes := []rune(valid(key))
	return string(runes[:min(len(runes), MaxKey-len(end))]) + end
}

// wrongKey says why a key cannot be sent as it is, or "".
func wrongKey(key string) string {
	switch n := length(key); {
	case !utf8.ValidString(key):
		return "it is not UTF-8 text"
	case n > MaxKey:
		return fmt.Sprintf("it has %s characters, and PagerDuty takes at most %d", grouped(n), MaxKey)
	}
	return ""
}

// valid replaces what is not UTF-8 text.
func valid(text string) string { return strings.ToValidUTF8(text, string(utf8.RuneError)) }

// length returns the number of characters of a text.
func length(text string) int { return utf8.RuneCountInString(text) }

// clip shortens a text to a number of characters. The last one says that there was more.
func clip(text string, most int) string {
	if length(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// maxQuoted is how many characters a note quotes of a value.
const maxQuoted = 60

func quoted(text string) string { return strconv.Quote(clip(valid(text), maxQuoted)) }

// grouped writes a number with commas between thousands.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// The forms of a time that ISO 8601 and RFC 3339 have in common, and the form of PagerDuty's own example,
// whose offset has no colon.
var timeLayouts = []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700"}

// Time returns a time as RFC 3339 writes it, or an error if the text is not a time such as
// 2026-01-31T09:00:00Z or 2015-07-17T08:42:58.315+0000.
func Time(text string) (string, error) {
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, text); err == nil && !strings.ContainsAny(text, ",") && inRange(text, at) {
			return at.Format(time.RFC3339Nano), nil
		}
	}
	return "", fmt.Errorf("%s is not a time in RFC 3339, such as 2026-01-31T09:00:00Z", quoted(text))
}

// inRange reports whether the hour has two digits and the offset is less than a day: package time accepts
// more.
func inRange(text string, at time.Time) bool {
	_, clock, _ := strings.Cut(text, "T")
	_, offset := at.Zone()
	return len(clock) > 2 && clock[2] == ':' && offset > -24*3600 && offset < 24*3600
}
