package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
)

// A program under test is given the server's URL for both the REST API and the
// Events API. Afterwards the account tells what the program has done.
func Example() {
	account := simulator.New()
	server := httptest.NewServer(account)
	defer server.Close()

	event := `{"service_key": "` + account.ServiceKey() + `", "event_type": "trigger",
		"incident_key": "disk-7", "description": "Disk is full"}`
	answer, err := http.Post(server.URL+"/generic/2010-04-15/create_event.json", "application/json", strings.NewReader(event))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer.Body.Close()

	for _, incident := range account.Incidents() {
		fmt.Println(incident.Key, incident.Status, incident.Description)
	}
	for _, request := range account.Requests() {
		fmt.Println(request.Method, request.Path, request.Status)
	}
	// Output:
	// disk-7 triggered Disk is full
	// POST /generic/2010-04-15/create_event.json 200
}
