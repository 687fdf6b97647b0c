// Package simulator is a PagerDuty account that lives in memory and answers
// HTTP. It keeps what it is told: a user created by POST /users is found by
// GET /users, an event opens an incident, and the incident can be listed,
// acknowledged and resolved. Programs that talk to PagerDuty are pointed at it
// by changing a base URL and nothing else.
//
// The nouns:
//
//   - A [Simulator] is one account: its users, services, incidents and keys.
//     It is an http.Handler, safe for concurrent use. One handler serves the
//     REST API and both Events APIs; the path decides.
//   - An [Option] configures the account before the first request.
//   - A [State] is what the account holds at the start, in Go or in JSON.
//   - A [User] is a person of the account.
//   - A [Service] receives events. Its 32-character integration key is the
//     credential that an event carries in its body.
//   - An [EscalationPolicy] and the [Schedule]s in it say who is [OnCall].
//   - An [Incident] is what events to a service open, acknowledge and resolve.
//     Every event that had an effect is a [LogEntry] of its incident.
//   - A [Fault] is a rule that makes something go wrong: an odd answer, a slow
//     one, none at all, or one after the request has had its effect.
//   - A [Delivery] is one attempt to tell a webhook subscriber.
//   - A [Request] says how one HTTP request was answered. It never holds a key.
//
// How a request flows: an exchange is read from it (exchange.go) and matched
// with a route (route.go) and with the fault plan (fault_plan.go); rest or events
// wraps the route's handler with what its API demands of all requests
// (surface.go); the handler changes the account (account.go) and returns a
// response (response.go), which is sent as whole and as fast as the fault lets it
// (delivery.go). A handler never touches the network and runs alone, so that the
// account needs one lock and no more. A new endpoint is a line in routes and a
// handler; a new fault is a line in traitsOfFaults and a case in spoil, respond or
// send.
//
// Documents of people are read by readStrict (strict.go), which reports every
// mistake with its place. The control API (control.go) lets another process look
// into the account, move its time and change its faults. Webhooks leave by
// workers, one for each subscription and resource (webhook_delivery.go).
//
// Nothing depends on chance or on the time of day. Identifiers are derived from
// a seed, and time comes from a clock and a timer that the caller may set
// (timeline.go), so the same requests to the same configuration are answered byte
// for byte the same. The keys of [NewTLS] are the one exception.
//
// What is known of the real service is imitated to the letter. Where no public
// source tells what the service does, the comment beside the choice says
// "[unknown, safe reading]": the simulator then refuses rather than accepts.
//
// In a Go test:
//
//	account := simulator.New(simulator.WithUser(simulator.User{Name: "Ann", Email: "ann@example.com"}))
//	server := httptest.NewServer(account)
//	defer server.Close()
//	// ... let the program under test use server.URL, account.APIKey()
//	// and account.ServiceKey() ...
//	for _, incident := range account.Incidents() {
//		fmt.Println(incident.Key, incident.Status)
//	}
//
// A simulator with faults that hang, or with webhooks, is closed before its server:
// the server waits for the requests that hang.
package simulator
