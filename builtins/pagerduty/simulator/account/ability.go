package account

import "slices"

// Abilities are the features that the account has, by PagerDuty's names.
type Abilities []string

// defaultAbilities are used when the state names none. They are enough for every
// role of a user.
var defaultAbilities = Abilities{"permissions_service", "read_only_users", "sso", "teams", "urgencies"}

// abilitiesOfRoles are the abilities that roles need. For read_only_user it is
// documented, for the other three it is inferred.
var abilitiesOfRoles = map[string]string{
	"read_only_user":         "read_only_users",
	"read_only_limited_user": "read_only_users",
	"observer":               "permissions_service",
	"restricted_access":      "permissions_service",
}

// Check returns MissingAbility unless the account has an ability.
func (a Abilities) Check(ability string) error {
	if !slices.Contains(a, ability) {
		return MissingAbility(ability)
	}
	return nil
}

// checkRole returns MissingAbility when a role needs an ability that is missing.
func (a Abilities) checkRole(role string) error {
	if needed := abilitiesOfRoles[role]; needed != "" {
		return a.Check(needed)
	}
	return nil
}
