package account

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of operations that concern one resource.
var (
	ErrNotFound        = errors.New("not found")
	ErrAlreadyResolved = errors.New("incident already resolved")
)

// MissingAbility is an ability that an operation needs and the account lacks.
type MissingAbility string

// Error names the ability.
func (m MissingAbility) Error() string {
	return "Account does not have the " + string(m) + " ability"
}

// Invalid is what is wrong with a resource to create, change or delete: one sentence
// for each mistake, in the words that PagerDuty uses.
type Invalid []string

// Error returns all sentences.
func (i Invalid) Error() string { return strings.Join(i, "; ") }

// Add adds a sentence, formatted as by fmt.Sprintf.
func (i *Invalid) Add(format string, values ...any) {
	*i = append(*i, fmt.Sprintf(format, values...))
}

// err returns the sentences as an error, or nil when there are none.
func (i Invalid) err() error {
	if len(i) == 0 {
		return nil
	}
	return i
}
