// Package builtins declares every action that a step can call without writing
// any Go: PagerDuty's seven, and the small modules that a runbook needs around
// them.
//
//	catalog, err := action.NewCatalog(builtins.Actions(builtins.Config{
//		PagerDuty: client,
//	})...)
//
// # The map
//
// There is one file for each module, named after it, and [Actions] lists them:
//
//   - pagerduty: pagerduty_events.go sends events, pagerduty_users.go finds,
//     creates and deletes users, and pagerduty_errors.go is the one place where
//     a failure of the client becomes an [action.Error].
//   - http: http.go declares the five functions and checks their input,
//     http_build.go makes a request of it and reveals the secrets, http_send.go
//     sends it, follows redirects and reads the answer.
//   - net: net.go declares the probes, net_internet.go does them for real.
//   - validate, json, base64, hash, text, uuid: pure functions. Nothing of them
//     is recorded, so they depend on their input alone.
//     text_pattern.go declares what takes patterns and text_search.go does it, so
//     that it ends; json_size.go knows how large JSON becomes.
//   - time: time.go declares the functions, time_layout.go reads and writes times
//     in a layout.
//   - log: an event of the run, and no call.
//
// clock.go is how all of them tell the time and time out. A [World] (world.go,
// world_http.go, world_net.go) takes the place of the network under --simulate: it
// answers http and net from a document and refuses what the document does not
// hold.
//
// # Rules that hold in every file
//
//   - An action reads the time, draws randomness, waits, logs and gets at secrets
//     through the [action.Scope] of its call and in no other way. So a run can be
//     replayed, and a test runs on virtual time.
//   - A probe returns facts. It raises only where there is no fact to return.
//   - What computes is bounded, for any input: a check at the beginning refuses what
//     becomes too large, before it is made, and work that takes longer than some
//     milliseconds asks [action.Work] all along whether it may go on.
//   - The text of a secret is revealed at the moment of sending, for one
//     destination, and never becomes part of an error.
//   - A failure is an [action.Error] whose message says what was wrong and where,
//     and whose hint says what to try.
//
// # To add an action in five steps
//
//  1. Write an input and an output struct in the file of its module, with a json
//     name and a doc sentence on every field ([action.New] lists the tags).
//  2. Write the function between them: func(context.Context, In) (Out, error).
//  3. Give the input a Validate method for what tags cannot say, and a Targets
//     method if the action reaches anything.
//  4. Declare it with [action.New] in the list of its module. Choose the Effect
//     with care: it decides what happens to a call whose answer was lost.
//  5. Add its rows to the test of the module. The Lua function, the checks, the
//     command line and the reference page are derived from the declaration.
package builtins
