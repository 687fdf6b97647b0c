// Package codes declares the modules base64, hash and uuid, one file each: pure functions
// that encode, hash, sign and name.
package codes

import (
	"slices"

	"github.com/pdflow/pdflow/engine/action"
)

// Actions returns the actions of the three modules.
func Actions() []*action.Action {
	return slices.Concat(base64Actions(), hashActions(), uuidActions())
}
