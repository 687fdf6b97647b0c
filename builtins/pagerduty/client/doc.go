// Package pagerduty is a client of PagerDuty's Events APIs v1 and v2, and of the
// users, incidents and on-call duties of its REST API.
//
// # The nouns
//
//   - [Config] says whom to talk to and with which keys; [New] checks it.
//   - [Client] makes the calls. It repeats a request only where that cannot do
//     harm (retry.go), within a budget of time.
//   - [Pacing] holds the requests of all clients that share it within the rate
//     limits of their keys.
//   - [Event], [EventReceipt] and [ChangeEvent], [User], [NewUser] and [UserChange],
//     [Incident], [Note] and [IncidentsUpdate], [OnCall] are what goes out and comes
//     in; the files called validate have the limits that are checked before
//     anything leaves.
//   - [Account] is what an API key opens.
//   - [Error] says what went wrong, in a [Kind] for machines and words for people,
//     and whether the request may have been acted on (Sent).
//
// # The map
//
// A call goes through four files: client.go makes the request (list.go, page by
// page), retry.go tries it, transport.go sends it once, and answer.go reads a
// refusal (decode.go has the shapes of its body).
//
// Before each try it waits for its turn: pacing.go finds the lane of its key, and
// lane.go is the queue there. The limit of an API key is a window (window.go), that
// of an integration key a throttle (throttle.go); after a wait, gate.go lets one
// request through and then the others.
//
// Each kind of call has its file: events.go and event_bodies.go, change_events.go,
// users.go and people.go, incidents.go and incidents_update.go, account.go.
// blockers.go looks why a user cannot be deleted.
//
// A key never appears in an error, even where a server quotes it (redactor.go), and
// types that hold one do not print it.
package client
