package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
)

// A program under test is given the server's URL for both the REST API and the
// Events API. Afterwards the account shows what the program has done.
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

// The answer to the first event is lost after the event has taken effect. A client that
// repeats it with the same key opens no second incident.
func ExampleWithFaults() {
	plan, err := fault.Parse([]byte(`{"faults": [
		{"name": "lost answer", "match": {"endpoint": "events", "nth": 1}, "do": "reset_after"}
	]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	account := simulator.New(simulator.WithFaults(plan.Faults...))
	server := httptest.NewServer(account)
	defer server.Close()
	defer account.Close()

	event := `{"service_key": "` + account.ServiceKey() + `", "event_type": "trigger",
		"incident_key": "disk-7", "description": "Disk is full"}`
	for range 2 {
		answer, err := http.Post(server.URL+"/generic/2010-04-15/create_event.json", "application/json", strings.NewReader(event))
		if err != nil {
			fmt.Println("no answer")
			continue
		}
		answer.Body.Close()
		fmt.Println(answer.Status)
	}

	fmt.Println(len(account.Incidents()), "incident")
	for _, request := range account.Requests() {
		fmt.Printf("%s processed=%v %s\n", request.Key, request.Processed, request.Fault)
	}
	// Output:
	// no answer
	// 200 OK
	// 1 incident
	// disk-7 processed=true lost answer
	// disk-7 processed=true
}
