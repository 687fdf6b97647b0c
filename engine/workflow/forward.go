package workflow

import (
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/source"
)

// The names of this file moved to the packages source, permission and phrase. They
// stay until package attempt and the tests of package run use those packages.

type (
	// A Position is a [source.Position].
	Position = source.Position
	// A Diagnostic is a [source.Problem].
	Diagnostic = source.Problem
	// Diagnostics are [source.Problems].
	Diagnostics = source.Problems
	// Permissions are [permission.Permissions].
	Permissions = permission.Permissions
	// An OutputTemplate is a [NamedTemplate].
	OutputTemplate = NamedTemplate
	// A Pattern is a [permission.Pattern].
	Pattern = permission.Pattern
)

// SeverityError is [source.SeverityError].
const SeverityError = source.SeverityError

// SizeText is [phrase.Bytes].
func SizeText(bytes int64) string { return phrase.Bytes(bytes) }
