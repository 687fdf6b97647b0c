package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

// maxBatch is how many incidents one request may change (PagerDuty's REST
// reference, "Manage incidents").
const maxBatch = 250

// batchParts is into how many parts a refused batch is split: a single bad
// incident of 250 is found in about 20 requests, and 250 bad ones cost little more
// than one request each.
const batchParts = 8

// An IncidentsUpdate is a change of many incidents.
type IncidentsUpdate struct {
	IDs       []string
	Status    string // acknowledged or resolved
	FromEmail string // on whose behalf; the configuration's when empty
}

// An IncidentResult is what became of one incident of an update.
type IncidentResult struct {
	ID      string
	OK      bool   // it has the status that was asked for
	Status  string // as far as is known
	Message string // why not, or what else is to say
}

// Validate checks an update, but for whom it is from.
func (u IncidentsUpdate) Validate() error {
	switch {
	case len(u.IDs) > MaxListed:
		return invalid("", "", "there are %s ids; at most %s are taken", grouped(len(u.IDs)), grouped(MaxListed))
	case u.Status != "acknowledged" && u.Status != "resolved":
		return invalid("", "", "an incident cannot be given the status %q; it is acknowledged or resolved", shorten(u.Status))
	}
	return validateIDs("incident", u.IDs)
}

// UpdateIncidents acknowledges or resolves incidents, in batches, and returns one
// result for each id in the order of the ids. What PagerDuty refuses of one incident
// is its result; what stops all of them is an error, and then the results tell how
// far it came.
func (c *Client) UpdateIncidents(ctx context.Context, u IncidentsUpdate) ([]IncidentResult, error) {
	u.FromEmail = cmp.Or(u.FromEmail, c.config.FromEmail)
	if err := cmp.Or(u.Validate(), validateFrom(u.FromEmail, "incidents are updated")); err != nil {
		return nil, err
	}
	var results []IncidentResult
	for batch := range slices.Chunk(distinct(u.IDs), maxBatch) {
		done, err := c.updateBatch(ctx, u, batch)
		results = append(results, done...)
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

// distinct leaves out what stands in a list a second time.
func distinct(ids []string) []string {
	seen := map[string]bool{}
	var kept []string
	for _, id := range ids {
		if !seen[id] {
			seen[id], kept = true, append(kept, id)
		}
	}
	return kept
}

// updateBatch updates some incidents. A batch that is refused for one of them is
// split until it is clear for which.
func (c *Client) updateBatch(ctx context.Context, u IncidentsUpdate, ids []string) ([]IncidentResult, error) {
	answers, err := c.putIncidents(ctx, u, ids)
	var failure *Error
	switch {
	case err == nil:
		return u.resultsOf(ids, answers, c.keys()), nil
	case !errors.As(err, &failure) || !failure.ofOneIncident():
		return nil, err
	case len(ids) == 1:
		return []IncidentResult{u.refusedResult(ids[0], failure)}, nil
	}
	var results []IncidentResult
	for part := range slices.Chunk(ids, (len(ids)+batchParts-1)/batchParts) {
		done, err := c.updateBatch(ctx, u, part)
		if results = append(results, done...); err != nil {
			return results, err
		}
	}
	return results, nil
}

// ofOneIncident reports whether a failure may be about one of several incidents.
func (e *Error) ofOneIncident() bool {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge:
		return !e.aboutRequester()
	}
	return false
}

// An updatedIncident is an entry of the answer: an incident, or why it was refused.
type updatedIncident struct {
	ID     string          `json:"id"`
	Status string          `json:"status"`
	Error  json.RawMessage `json:"error"`
}

// An updatedIncidents is the answer to an update.
type updatedIncidents struct {
	Incidents []updatedIncident `json:"incidents"`
}

func (a *updatedIncidents) complete() bool { return a.Incidents != nil }

func (c *Client) putIncidents(ctx context.Context, u IncidentsUpdate, ids []string) ([]updatedIncident, error) {
	type reference struct {
		ID     string `json:"id"`
		Type   string `json:"type"`
		Status string `json:"status"`
	}
	in := map[string][]reference{}
	for _, id := range ids {
		in["incidents"] = append(in["incidents"], reference{id, "incident_reference", u.Status})
	}
	var out updatedIncidents
	err := c.rest(ctx, "update incidents", http.MethodPut, "/incidents", updates, in, &out, u.FromEmail)
	return out.Incidents, err
}

// resultsOf reads an answer, whose order is its own.
func (u IncidentsUpdate) resultsOf(ids []string, answers []updatedIncident, keys redactor) []IncidentResult {
	byID := map[string]updatedIncident{}
	for _, answer := range answers {
		byID[answer.ID] = answer
	}
	var results []IncidentResult
	for _, id := range ids {
		answer, told := byID[id]
		if !told {
			results = append(results, IncidentResult{ID: id, Message: "PagerDuty's answer does not mention it"})
			continue
		}
		results = append(results, u.resultOf(answer, keys))
	}
	return results
}

func (u IncidentsUpdate) resultOf(answer updatedIncident, keys redactor) IncidentResult {
	status := keys.line(answer.Status)
	switch {
	case len(answer.Error) > 0 && string(answer.Error) != "null":
		body, _ := json.Marshal(map[string]json.RawMessage{"error": answer.Error})
		failure := &Error{}
		failure.Code, failure.Message, failure.Details = decodeError(body, keys)
		failure.Message = cmp.Or(failure.Message, "PagerDuty refused it")
		return u.refusedResult(answer.ID, failure)
	case status != u.Status:
		return IncidentResult{ID: answer.ID, Status: status, Message: "it was not refused, and its status is another one"}
	}
	return IncidentResult{ID: answer.ID, OK: true, Status: status}
}

// refusedResult is the result of an incident that was refused. One that is
// resolved already is as it was asked to be.
func (u IncidentsUpdate) refusedResult(id string, failure *Error) IncidentResult {
	if failure.says("already resolved") {
		return IncidentResult{ID: id, OK: u.Status == "resolved", Status: "resolved", Message: "it was resolved already"}
	}
	reason := *failure
	reason.Op = "" // the result says of what
	return IncidentResult{ID: id, Message: reason.Error()}
}
