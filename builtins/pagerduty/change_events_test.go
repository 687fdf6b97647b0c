package pagerduty

import (
	"testing"

	"github.com/pdflow/pdflow/engine/action/actiontest"
)

func TestSendChangeEvent(t *testing.T) {
	a := newAccount(t, answer(202, `{"status":"success","message":"Change event processed"}`))
	a.done("pagerduty.send_change_event", object{"summary": "deployed", "service_key": testServiceKey, "links": []any{object{"href": "https://a/"}}},
		object{"status": "success", "message": "Change event processed"})
	a.Check(t, actiontest.Request{
		Line: "POST /v2/change/enqueue", Header: map[string]string{"Authorization": "", "From": ""},
		Body: `{"routing_key":"` + testServiceKey + `","payload":{"summary":"deployed"},"links":[{"href":"https://a/"}]}`,
	})
}
