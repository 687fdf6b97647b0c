// Package client is a client of PagerDuty: of its Events APIs v1 and v2, and of the
// users, incidents, notes and on-call entries of its REST API.
//
// # The nouns
//
//   - [Config] holds the URLs and the keys. [New] checks it and returns a [Client].
//   - [Client] has one method for each operation. One use of a method is a call. A
//     call sends its request once or, where a repeat does no harm, several times;
//     each time is a try.
//   - [Pacing] keeps calls within PagerDuty's rate limits. Clients that share a
//     Pacing wait together.
//   - [Event] and [ChangeEvent] go to the Events APIs. [User], [NewUser] and
//     [UserChange], [Incident] and [IncidentsUpdate], [Note] and [OnCall] belong to
//     the REST API. [Account] is the account that an API key opens.
//   - [Error] is the error of every call: a [Kind] for programs, a message for
//     people, and Sent, which says that PagerDuty may have acted on the request.
//
// The Validate functions check PagerDuty's documented limits. Every call checks them
// before it sends anything.
//
// # The way of a call
//
// A method of [Client] describes its request and passes it to Client.do (client.go).
// Client.do uses these stages, in this order:
//
//  1. request (request.go) has the URL, the headers with the key, and the JSON body.
//  2. tries (retry.go) repeats the request, within a retry policy and a budget of
//     time.
//  3. ticket (queue.go) waits before every try until the rate limit of the key
//     admits the request.
//  4. transport (transport.go) sends the request once and reads the whole response.
//  5. refusal (refusal.go) turns a response that is not a success into an [Error].
//     redactor (redactor.go) removes the keys from its texts.
//  6. response (response.go) decodes a success.
//
// pacing.go finds the queue of a key, and limit.go says what a rate limit is. The
// limit of an API key is a fixed window (fixed_window.go). The limit of an
// integration key is a sliding window (sliding_window.go).
//
// # The operations
//
// Each resource has a file: events.go, change_events.go, users.go, oncalls.go,
// incidents.go, notes.go, account.go. list.go reads lists page by page, and validate.go
// has the checks that several resources share.
//
// Types that hold a key do not print it.
package client
