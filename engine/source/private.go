package source

// quoting are the messages and hints of the rules whose own messages quote the file. A
// document that may hold secrets has these instead.
var quoting = map[string][2]string{
	"duplicate-anchor": {"an anchor is defined a second time", "give this one another name"},
	"duplicate-key":    {"a key stands here for the second time", "remove one of the two"},
	"non-text-key":     {"a key must be text", "put it in quotes"},
	"number-range":     {"a number is too large, or would lose digits", "put it in quotes"},
	"odd-number":       {"a number is read differently by different YAML readers", "put it in quotes for text, or write a plain decimal number"},
	"unknown-key":      {"a key is not known here", ""},
	"unknown-tag":      {"a tag has no meaning here", "leave it out"},
	"wrong-tag":        {"a tag does not fit the value behind it", "leave it out"},
	"wrong-type":       {"a value has the wrong type", ""},
	"yaml-syntax":      {"this is not valid YAML", "check the indentation and the quotes of this line and the one above"},
}

// unquoting are the rules whose messages quote nothing of the file.
var unquoting = map[string]bool{
	"encoding": true, "expression-refused": true, "file-size": true, "merge-depth": true, "second-document": true,
	"too-deep": true, "too-large": true,
}

// unquoted returns the message and the hint about a rule without what they quote of a
// file. A rule that is in neither list is only named.
func unquoted(rule, message, hint string) (string, string) {
	if unquoting[rule] {
		return message, hint
	}
	if texts, ok := quoting[rule]; ok {
		return texts[0], texts[1]
	}
	return "this cannot be used here (" + rule + ")", ""
}
