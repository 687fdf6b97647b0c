// Package webhook delivers webhooks to subscribers, as PagerDuty does.
//
//   - A [Subscription] says which events go to which address.
//   - The [Sender] holds the subscriptions and delivers to them. Its workers, one for
//     each subscription and resource, keep the events of a resource in order.
//   - A [Delivery] is the record of one attempt.
//
// The package does not know what an event contains: package api calls
// [Sender.Announce] when an incident changes and gives it the body. A Sender has a lock
// of its own because its workers run between requests. The lock of the simulator is always
// taken before it: a request that announces a change holds both, a worker takes only this
// one.
package webhook
