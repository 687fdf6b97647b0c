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
//   - [Account] is what an API key opens.
//   - [Error] says what went wrong, in a [Kind] for machines and words for people,
//     and whether the request may have been acted on (Sent).
//
// A call goes through four files: client.go makes the request, retry.go tries it,
// transport.go sends it once, and answer.go reads a refusal (decode.go has the
// shapes of its body).
//
// A key never appears in an error, even where a server quotes it (redactor.go), and
// types that hold one do not print it.
package pagerduty
