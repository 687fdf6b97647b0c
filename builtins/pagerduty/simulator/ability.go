package simulator

import "net/http"

// abilities is what the account may do: enough for every role of a user.
var abilities = []string{"permissions_service", "read_only_users", "sso", "teams", "urgencies"}

// abilitiesBody is the body of a listing of abilities, which has no pages.
type abilitiesBody struct {
	Abilities []string `json:"abilities"`
}

// listAbilities answers GET /abilities.
func (s *Simulator) listAbilities(*exchange) response {
	return document(http.StatusOK, abilitiesBody{abilities})
}
