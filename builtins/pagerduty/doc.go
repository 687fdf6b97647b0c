// Package pagerduty is a client of PagerDuty's Events APIs v1 and v2 and of the
// users of its REST API.
//
// # The nouns
//
//   - [Config] says whom to talk to and with which keys; [New] checks it.
//   - [Client] makes the calls. It repeats a request only where that cannot do
//     harm (retry.go), within a budget of time.
//   - [Event] and [EventReceipt], [User] and [NewUser] are what goes out and comes
//     in; validate.go has the limits that are checked before anything leaves.
//   - [Error] says what went wrong, in a [Kind] for machines and words for people,
//     and whether the request may have been acted on (Sent).
//
// A key never appears in an error, and types that hold one do not print it.
package pagerduty
