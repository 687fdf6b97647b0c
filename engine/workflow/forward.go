package workflow

import (
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// The names of this file moved to the packages source, permission and phrase. They
// stay until their callers use those packages.

type (
	// A Position is a [source.Position].
	Position = source.Position
	// A Severity is a [source.Severity].
	Severity = source.Severity
	// A Diagnostic is a [source.Problem].
	Diagnostic = source.Problem
	// Diagnostics are [source.Problems].
	Diagnostics = source.Problems
	// A Text is a [source.Text].
	Text = source.Text
	// Permissions are [permission.Permissions].
	Permissions = permission.Permissions
	// An OutputTemplate is a [NamedTemplate].
	OutputTemplate = NamedTemplate
	// A Pattern is a [permission.Pattern].
	Pattern = permission.Pattern
)

// The severities of package source.
const (
	SeverityError   = source.SeverityError
	SeverityWarning = source.SeverityWarning
)

// ParseData is [source.ReadData], without the places.
func ParseData(name string, src []byte) (any, error) {
	data, err := source.ReadData(name, src)
	return data.Value, err
}

// SizeText is [phrase.Bytes].
func SizeText(bytes int64) string { return phrase.Bytes(bytes) }
