package api

import "net/http"

// listAbilities answers GET /abilities. The listing has no pages.
func listAbilities(x *Exchange) Response {
	return single(http.StatusOK, "abilities", x.account.Abilities)
}

// getAbility answers GET /abilities/{id}: 204 for an ability that the account has.
func getAbility(x *Exchange) Response {
	if err := x.account.Abilities.Check(x.id); err != nil {
		return refuse(err)
	}
	return Empty(http.StatusNoContent)
}
