// Package simulator is a PagerDuty account in memory that answers HTTP. A user created by
// POST /users is found by GET /users; an event opens an incident, which can be listed,
// acknowledged and resolved. To use it, a program that talks to PagerDuty only needs
// another base URL.
//
// The nouns:
//
//   - A [Simulator] is one account with its users, services, incidents and keys. It is an
//     http.Handler, safe for concurrent use. It serves the REST API, both Events APIs and
//     the control API; the path decides.
//   - An [Option] configures the account before the first request.
//   - A [account.State] is what the account holds at the start, in Go or in JSON.
//   - A [account.User] is a person of the account.
//   - A [account.Service] receives events. Its 32-character integration key is the credential
//     that an event carries in its body.
//   - An [account.EscalationPolicy] and the [account.Schedule]s in it say who is [account.OnCall].
//   - An [account.Incident] is opened, acknowledged and resolved by events to a service. Every
//     event that changed it is a [account.LogEntry] of the incident.
//   - A [fault.Fault] is a rule that makes a request go wrong: a wrong answer, a slow answer, no
//     answer, or a lost answer after the request has taken effect.
//   - A [webhook.Delivery] is one attempt to deliver a webhook.
//   - A [api.Request] is the record of one HTTP request and how it was answered. It never
//     holds a key.
//
// This package is the front door: construction, options, and what a caller can read
// afterwards. The work is done in the packages below it:
//
//   - account: the resources and the operations on them. It knows no HTTP.
//   - api: the REST API and the Events APIs, one route for each endpoint.
//   - fault: the fault plan. It answers in place of the API, or changes its answers.
//   - webhook: subscriptions and deliveries.
//   - control: the control API, by which another process reads and changes the simulator.
//   - timeline: the time of the account.
//   - seeded: identifiers, keys and probabilities, all from a seed.
//   - strictjson: documents that people write, with every mistake and its path.
//
// How a request flows: [Simulator.ServeHTTP] reads it into an api.Exchange. Under the lock
// of the Simulator, events that are due take effect, the record of the request is made, and
// fault.Injector chooses a rule and calls the API, whose handler changes the account. After
// the lock is released, the injector sends the answer. One lock is enough because a handler
// never waits and never uses the network; webhooks leave in goroutines of their own.
//
// Nothing depends on chance or on the time of day. Identifiers follow from a seed, and the
// time comes from a clock and a timer that the caller may set. So the same requests to the
// same configuration get the same answers, byte for byte. The only exceptions are the keys
// of [NewTLS].
//
// What is known of the real service is imitated exactly. Where no public source says what
// the service does, a comment says "[unknown, safe reading]": the simulator then refuses
// rather than accepts.
//
// In a Go test:
//
//	pagerduty := simulator.New(simulator.WithUser(account.User{Name: "Ann", Email: "ann@example.com"}))
//	server := httptest.NewServer(pagerduty)
//	defer server.Close()
//	// ... let the program under test use server.URL, pagerduty.APIKey()
//	// and pagerduty.ServiceKey() ...
//	for _, incident := range pagerduty.Incidents() {
//		fmt.Println(incident.Key, incident.Status)
//	}
//
// A simulator with faults that hang, or with webhooks, must be closed before its server,
// because the server waits for the requests that hang.
package simulator
