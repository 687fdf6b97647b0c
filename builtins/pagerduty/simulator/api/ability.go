package api

import "net/http"

// abilitiesBody is the body of a listing of abilities, which has no pages.
type abilitiesBody struct {
	Abilities []string `json:"abilities"`
}

// listAbilities answers GET /abilities.
func listAbilities(x *Exchange) Response {
	return Document(http.StatusOK, abilitiesBody{x.account.Abilities})
}

// getAbility answers GET /abilities/{id}: 204 for an ability that the account has.
func getAbility(x *Exchange) Response {
	if err := x.account.Abilities.Check(x.id); err != nil {
		return refuse(err)
	}
	return Empty(http.StatusNoContent)
}
