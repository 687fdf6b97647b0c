// Package account is the state of a simulated PagerDuty account and the operations
// that change it. It knows nothing of HTTP and parses no requests: package api does
// both, and calls this package.
//
// The nouns, one file for each:
//
//   - An [Account] holds all resources. Its methods are the operations that concern
//     more than one resource.
//   - A [User] is a person; a [Member] is a user with what the account made for the
//     user (user.go).
//   - A [Token] is an API key (token.go). [Abilities] are what the account may do
//     (ability.go).
//   - A [Service] receives events by the keys of its [Integration]s (service.go).
//   - An [EscalationPolicy] (policy.go) and the [Schedule]s in it (schedule.go) say
//     who is [OnCall] (on_call.go).
//   - An [Event] is what a program sends to a service: trigger, acknowledge or
//     resolve (event.go). A [ChangeEvent] opens no incident (change_event.go).
//   - An [Incident] is opened by an event or a request (incident.go). It has
//     [Alert]s (alert.go), [Note]s (note.go), and one [LogEntry] for each event or
//     request that changed it (log_entry.go).
//   - A [State] is what an account holds at the start, in Go or in JSON (state.go,
//     state_check.go); seed.go makes an account of it.
//   - An [Announcement] is a change of which webhook subscribers are informed
//     (announcement.go). Subscriptions belong to package webhook: their delivery
//     changes them between requests.
//
// An operation that refuses returns a typed error: [ErrNotFound], [ErrAlreadyResolved],
// [MissingAbility], or [Invalid] with one sentence for each mistake.
//
// An Account has no lock. The simulator runs one request at a time under one lock,
// because a request concerns many resources: deleting a user looks at incidents,
// schedules and policies, and every request draws identifiers in order. Locks of
// single resources would not make a request atomic.
package account
