package source_test

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/source"
)

// TestA6PrivateData: no problem of a document that may hold secrets quotes it. The place is
// right, and the message says what is wrong.
func TestA6PrivateData(t *testing.T) {
	deep := strings.Repeat("[", 120) + "hunter22" + strings.Repeat("]", 120)
	for _, test := range []struct{ text, want string }{
		{"pin: 1\npin: hunter22", "f.yaml:2:1: a key stands here for the second time (remove one of the two)"},
		{"pin: {hunter22: 1, hunter22: 2}", "f.yaml:1:20: a key stands here for the second time (remove one of the two)"},
		{"pin: 22222222222222222222", "f.yaml:1:6: a number is too large, or would lose digits (put it in quotes)"},
		{"pin: 22e22222", "f.yaml:1:6: a number is too large, or would lose digits (put it in quotes)"},
		{"pin: 0x22222222", "f.yaml:1:6: a number is read differently by different YAML readers (put it in quotes for text, or write a plain decimal number)"},
		{"pin: 022222222", "f.yaml:1:6: a number is read differently by different YAML readers (put it in quotes for text, or write a plain decimal number)"},
		{"pin: {22222222: 1}", "f.yaml:1:7: a key must be text (put it in quotes)"},
		{"pin: {[hunter22]: 1}", "f.yaml:1:7: a key must be text (put it in quotes)"},
		{"pin: !hunter22 x", "f.yaml:1:6: a tag has no meaning here (leave it out)"},
		{"pin: !!int hunter22", "f.yaml:1:6: a tag does not fit the value behind it (leave it out)"},
		{"pin: [&hunter22 x, &hunter22 y]", "f.yaml:1:20: an anchor is defined a second time (give this one another name)"},
		{"pin: *hunter22", "f.yaml:1:1: this is not valid YAML (check the indentation and the quotes of this line and the one above)"},
		{"pin: @hunter22", "f.yaml:1:1: this is not valid YAML (check the indentation and the quotes of this line and the one above)"},
		{"pin: \"hunter22", "f.yaml:1:1: this is not valid YAML (check the indentation and the quotes of this line and the one above)"},
		{"pin: hunter22: x", "f.yaml:1:1: this is not valid YAML (check the indentation and the quotes of this line and the one above)"},
		{"pin: {<<: hunter22}", "f.yaml:1:11: a value has the wrong type"},
		{"pin: ${{ hunter22 }}", "f.yaml:1:6: a data file cannot hold ${{ }} (write the value itself)"},
		{"pin: {\"${{ hunter22 }}\": 1}", "f.yaml:1:7: a name cannot hold ${{ }} (write expressions in values; a script can build names)"},
		{"pin: x\n---\nhunter22: y", "f.yaml:2:1: a second document begins here and would be ignored (keep one document per file)"},
		{"pin: " + deep, "values nest deeper than 100 levels"},
		{"pin: x\xffhunter22", "f.yaml:1:7: the file is not valid UTF-8 text (save it as UTF-8)"},
		{"hunter22: 1\nhunter22: 2", "f.yaml:1:1: the file cannot have this key (known: pin)"},
		{"hunter22", "f.yaml:1:1: the file must be a mapping (name: value) (known: pin)"},
	} {
		_, err := source.ReadPrivateData("f.yaml", []byte(test.text), "pin")
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(strings.ReplaceAll(err.Error(), "${{ }}", ""), "unter2") || strings.Contains(err.Error(), "22") {
			t.Errorf("%q: got %v, want %q", test.text, err, test.want)
		}
	}
	if data, err := source.ReadPrivateData("f.yaml", []byte("any: 1")); err != nil || data.Value == nil {
		t.Errorf("without known keys: got %v, %v", data.Value, err)
	}
}

// TestA6NoRuleQuotes: whatever is wrong with the YAML of a private document, no problem has
// a text of it.
func TestA6NoRuleQuotes(t *testing.T) {
	for _, text := range []string{
		"a: &zqz\n b: *zqz", "a: [zqz", "a: {zqz", "a: 'zqz", "? [zqz]\n: y", "a:\n\tzqz", "%YAML 3.0\n---\nzqz", "%TAG zqz", "!<tag:zqz> x", "a: !!zqz x", "a: !zqz!zqz x",
		"a: << zqz", "<<: {zqz: 1}", "<<: [zqz]", "<<: zqz", "- zqz", "a: \"\\zqz\"", "a: |zqz\n x", "a: >zqz\n x", "a: &zqz x\nb: &zqz y", "? zqz\n? zqz", "~: zqz", "true: zqz",
		"1.5: zqz", "a: `zqz", "a: ,zqz", "a: zqz]", "a: zqz}", "{zqz: b, zqz: c}", "zqz: a\nzqz: b", "a: {b: *zqz}", "zqz: {zqz: {zqz}", "a: \x01zqz",
	} {
		if _, err := source.ReadPrivateData("f.yaml", []byte(text)); err != nil && strings.Contains(err.Error(), "zqz") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
