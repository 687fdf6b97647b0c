package client

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxBlockers bounds what a refused deletion names of each kind.
const maxBlockers = 3

// neededFor lists what keeps a user from being deleted (PagerDuty's community forum,
// topic 1271: open incidents, schedules, escalation policies), one text for each
// kind, with links. It is a help only: what cannot be read is left out, and nothing
// is tried twice.
func (c *Client) neededFor(ctx context.Context, id string) []string {
	var found []string
	for _, look := range []struct {
		what string
		at   func(context.Context, string) ([]Reference, error)
	}{
		{"open incidents", c.openIncidentsOf},
		{"schedules", c.schedulesOf},
		{"escalation policies", c.policiesOf},
	} {
		if needs, err := look.at(ctx, id); err == nil && len(needs) > 0 {
			found = append(found, named(look.what, needs, c.keys()))
		}
	}
	return found
}

// named writes a few references with their links.
func named(what string, needs []Reference, keys redactor) string {
	var texts []string
	for _, need := range needs[:min(len(needs), maxBlockers)] {
		texts = append(texts, strings.TrimSpace(keys.line(need.Name)+" "+keys.line(need.HTMLURL)))
	}
	if more := len(needs) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %s more", grouped(more)))
	}
	return what + ": " + strings.Join(texts, ", ")
}

func (c *Client) openIncidentsOf(ctx context.Context, id string) ([]Reference, error) {
	query := url.Values{"user_ids[]": {id}, "statuses[]": incidentStatuses[:2], "date_range": {"all"}}
	return glance[Reference](ctx, c, "/incidents", "incidents", query)
}

// schedulesOf looks at all schedules: PagerDuty cannot search them by user.
func (c *Client) schedulesOf(ctx context.Context, id string) ([]Reference, error) {
	type schedule struct {
		Reference
		Users []Reference `json:"users"`
	}
	all, err := glance[schedule](ctx, c, "/schedules", "schedules", nil)
	var found []Reference
	for _, s := range all {
		if slices.ContainsFunc(s.Users, func(user Reference) bool { return user.ID == id }) {
			found = append(found, s.Reference)
		}
	}
	return found, err
}

func (c *Client) policiesOf(ctx context.Context, id string) ([]Reference, error) {
	type policy struct {
		Reference
		Rules []struct {
			Targets []Reference `json:"targets"`
		} `json:"escalation_rules"`
	}
	all, err := glance[policy](ctx, c, "/escalation_policies", "escalation_policies", url.Values{"user_ids[]": {id}})
	var found []Reference
	for _, p := range all {
		for _, rule := range p.Rules {
			if slices.ContainsFunc(rule.Targets, func(target Reference) bool { return target.ID == id }) {
				found = append(found, p.Reference)
				break
			}
		}
	}
	return found, err
}

// glance reads a list for a message.
func glance[T any](ctx context.Context, c *Client, path, name string, query url.Values) ([]T, error) {
	found, _, err := listing[T]{op: "look what a user is needed for", path: path, name: name, query: query, policy: glances}.read(ctx, c, MaxListed)
	return found, err
}
