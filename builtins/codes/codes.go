// Package codes declares the modules base64, hash and uuid.
package codes

import (
	"slices"

	"github.com/pdflow/pdflow/engine/action"
)

// Actions returns the actions of the three modules.
func Actions() []*action.Action {
	return slices.Concat(base64Actions(), hashActions(), uuidActions())
}
