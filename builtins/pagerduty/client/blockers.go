package client

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxBlockers is how many blockers of each kind an error names.
const maxBlockers = 3

// blockers returns what keeps PagerDuty from deleting a user: open incidents, schedules
// and escalation policies (PagerDuty's community forum, topic 1271). It returns one
// text for each kind, with links. The texts only help, so it leaves out what it cannot
// read, and retries nothing.
func (c *Client) blockers(ctx context.Context, id string) []string {
	var found []string
	for _, kind := range []struct {
		name string
		find func(context.Context, string) ([]Reference, error)
	}{
		{"open incidents", c.openIncidentsOf},
		{"schedules", c.schedulesOf},
		{"escalation policies", c.policiesOf},
	} {
		if blockers, err := kind.find(ctx, id); err == nil && len(blockers) > 0 {
			found = append(found, named(kind.name, blockers, c.keys()))
		}
	}
	return found
}

// named writes the first few blockers with their links.
func named(kind string, blockers []Reference, keys redactor) string {
	var texts []string
	for _, b := range blockers[:min(len(blockers), maxBlockers)] {
		texts = append(texts, strings.TrimSpace(keys.line(b.Name)+" "+keys.line(b.HTMLURL)))
	}
	if more := len(blockers) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %s more", grouped(more)))
	}
	return kind + ": " + strings.Join(texts, ", ")
}

func (c *Client) openIncidentsOf(ctx context.Context, id string) ([]Reference, error) {
	query := url.Values{"user_ids[]": {id}, "statuses[]": incidentStatuses[:2], "date_range": {"all"}}
	return listOnce[Reference](ctx, c, "/incidents", "incidents", query)
}

// schedulesOf reads all schedules, because PagerDuty cannot search them by user.
func (c *Client) schedulesOf(ctx context.Context, id string) ([]Reference, error) {
	type schedule struct {
		Reference
		Users []Reference `json:"users"`
	}
	all, err := listOnce[schedule](ctx, c, "/schedules", "schedules", nil)
	var found []Reference
	for _, s := range all {
		if slices.ContainsFunc(s.Users, func(user Reference) bool { return user.ID == id }) {
			found = append(found, s.Reference)
		}
	}
	return found, err
}

func (c *Client) policiesOf(ctx context.Context, id string) ([]Reference, error) {
	type rule struct {
		Targets []Reference `json:"targets"`
	}
	type policy struct {
		Reference
		Rules []rule `json:"escalation_rules"`
	}
	all, err := listOnce[policy](ctx, c, "/escalation_policies", "escalation_policies", url.Values{"user_ids[]": {id}})
	isUser := func(target Reference) bool { return target.ID == id }
	var found []Reference
	for _, p := range all {
		if slices.ContainsFunc(p.Rules, func(r rule) bool { return slices.ContainsFunc(r.Targets, isUser) }) {
			found = append(found, p.Reference)
		}
	}
	return found, err
}

// listOnce reads a list and retries nothing.
func listOnce[T any](ctx context.Context, c *Client, path, name string, query url.Values) ([]T, error) {
	found, _, err := listing[T]{op: "look what a user is needed for", path: path, name: name, query: query, policy: extras}.read(ctx, c, MaxListed)
	return found, err
}
