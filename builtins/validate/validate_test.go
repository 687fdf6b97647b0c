package validate

import (
	"strings"
	"testing"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/action/actiontest"
)

// object is short for the tables below.
type object = action.Object

func TestValidate(t *testing.T) {
	ok := object{"ok": true, "reason": ""}
	no := func(reason string) object { return object{"ok": false, "reason": reason} }
	actiontest.Run(t, Actions(), action.Scope{}, []actiontest.Row{
		{Action: "validate.email", Input: object{"text": "ann@example.com"}, Want: ok},
		{Action: "validate.email", Input: object{"text": "Ann <ann@example.com>"}, Want: no(`"Ann <ann@example.com>" is not an e-mail address such as ann@example.com`)},
		{Action: "validate.email", Input: object{"text": ""}, Want: no(`"" is not an e-mail address such as ann@example.com`)},
		{Action: "validate.ip", Input: object{"text": "10.0.0.1"}, Want: ok},
		{Action: "validate.ip", Input: object{"text": "fe80::1"}, Want: ok},
		{Action: "validate.ip", Input: object{"text": "10.0.0.256"}, Want: no(`"10.0.0.256" is not an IP address`)},
		{Action: "validate.cidr", Input: object{"text": "10.0.0.0/8"}, Want: ok},
		{Action: "validate.cidr", Input: object{"text": "10.0.0.0/33"}, Want: no(`"10.0.0.0/33" is not a network such as 10.0.0.0/8`)},
		{Action: "validate.hostname", Input: object{"text": "db-1.example.com"}, Want: ok},
		{Action: "validate.hostname", Input: object{"text": "db_1"}, Want: no(`"db_1" is not a host name`)},
		{Action: "validate.url", Input: object{"text": "https://example.com/a?b=c"}, Want: ok},
		{Action: "validate.url", Input: object{"text": "ftp://example.com"}, Want: no(`"ftp://example.com" is not a URL such as https://example.com/path`)},
		{Action: "validate.url", Input: object{"text": "https://example.com/" + strings.Repeat("a", 9000)}, Want: no("it is 9020 bytes long, at most 8192 are allowed")},
		{Action: "validate.url", Input: object{}, Kind: action.InvalidInput, Says: `"text" is missing`},
	})
}
