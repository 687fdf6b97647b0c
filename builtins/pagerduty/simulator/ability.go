package simulator

import (
	"net/http"
	"slices"
)

// defaultAbilities is what an account may do unless its state says otherwise:
// enough for every role of a user.
var defaultAbilities = []string{"permissions_service", "read_only_users", "sso", "teams", "urgencies"}

// abilitiesOfRoles are what an account needs for a role. That read_only_user
// needs one is documented; which one the other three need is inferred.
var abilitiesOfRoles = map[string]string{
	"read_only_user":         "read_only_users",
	"read_only_limited_user": "read_only_users",
	"observer":               "permissions_service",
	"restricted_access":      "permissions_service",
}

// missingAbility returns the ability that a role needs and the account lacks.
func (a *account) missingAbility(role string) string {
	needed := abilitiesOfRoles[role]
	if needed == "" || slices.Contains(a.abilities, needed) {
		return ""
	}
	return needed
}

// lacksAbility answers 402, which the documented table has for it.
func lacksAbility(ability string) response {
	return failure(http.StatusPaymentRequired, codeMissingAbility, "Missing Account Ability",
		"Account does not have the "+ability+" ability")
}

// abilitiesBody is the body of a listing of abilities, which has no pages.
type abilitiesBody struct {
	Abilities []string `json:"abilities"`
}

// listAbilities answers GET /abilities.
func (s *Simulator) listAbilities(*exchange) response {
	return document(http.StatusOK, abilitiesBody{s.abilities})
}

// getAbility answers GET /abilities/{id}: 204 for one that the account has.
func (s *Simulator) getAbility(x *exchange) response {
	if !slices.Contains(s.abilities, x.id) {
		return lacksAbility(x.id)
	}
	return noContent()
}
