// Package builtins is the catalogue of the built-in actions: PagerDuty, and the small
// modules that a runbook needs around it.
//
//	catalog, err := action.NewCatalog(builtins.Actions(builtins.Config{
//		PagerDuty: client,
//	})...)
//
// # The rooms
//
// Each module has a package below, and [Actions] lists them. Where the name of a module
// is also a package of the standard library, our package has another name:
//
//   - pagerduty: the module pagerduty. Its client and the simulator are packages below it.
//   - web: the module http.
//   - probe: the module net.
//   - reach: what web and probe share: hosts, addresses that are refused, timeouts.
//   - world: fake answers for http and net, from a document, instead of the network.
//   - text, validate: the modules of these names. jsonvalue: json. times: time.
//     logging: log.
//   - codes: base64, hash and uuid.
//
// This package has no actions of its own. preview.go shows the requests of a dry run
// instead of sending them.
//
// # Rules for every action
//
//   - An action gets the time, random numbers, secrets and the log from the
//     [action.Scope] of its call, and from nowhere else. So a run can be replayed, and a
//     test runs on virtual time.
//   - A probe returns facts. It fails only when there is no fact to return.
//   - A computation is bounded for every input. A check at the start refuses an input that
//     becomes too large, and work of more than a few milliseconds calls [action.Work]
//     again and again.
//   - The text of a secret is revealed when it is sent, for one destination, and never
//     becomes part of an error.
//   - A failure is an [action.Error]: its message says what was wrong and where, its hint
//     says what to try.
//
// docs/CONTRIBUTING.md says how to add an action.
package builtins
