package pagerduty

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

func (m module) incidents() []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "pagerduty.get_incident",
			Summary: "Get an incident by id.",
			Doc:     "Without such an incident `found` is false. To find an incident by the key of its events use list_incidents.",
			Effect:  action.Reads,
		}, with(m, getIncident), checks(func(in *incidentIDInput) error { return client.ValidateIncidentID(in.ID) })),
		action.New(action.Spec{
			Name:    "pagerduty.list_incidents",
			Summary: "List incidents.",
			Doc: "All pages are read, up to `limit` incidents, and returned as one list, however old they are; `more` says whether " +
				"there are others. " + loopDoc + " Events are processed after they were accepted, so the incident of a trigger may take " +
				"a moment to appear.",
			Effect: action.Reads,
			Lists:  action.Listing{Items: "incidents", Limit: "limit", More: "more"},
		}, with(m, listIncidents), checks(func(in *listIncidentsInput) error {
			return cmp.Or(in.filter().Validate(), checkListLimit(in.Limit))
		})),
		action.New(action.Spec{
			Name:    "pagerduty.add_incident_note",
			Summary: "Add a note to an incident.",
			Doc: "A repeat adds a second note, so the note is not sent again when its answer was lost, unless `idempotent` says " +
				"that a second note does no harm.",
			Effect:  action.Once,
			Example: action.Object{"note": action.Object{"id": "PWL7QXS", "content": "disk cleaned", "created_at": "2026-01-31T09:00:00Z"}},
		}, with(m, addNote), action.Rules[noteInput]{
			Validate: func(in *noteInput) error {
				return typed(cmp.Or(checkFromEmail(in.FromEmail), client.ValidateNote(in.note())))
			},
			EffectOf: func(in *noteInput) action.Effect { return onceUnless(in.Idempotent) },
			Known: func(in *noteInput) action.Object {
				return action.Object{"note": action.Object{"content": in.Content}}
			},
		}),
		action.New(action.Spec{
			Name:    "pagerduty.update_incidents",
			Summary: "Acknowledge or resolve incidents.",
			Doc: "Unlike events it needs no service keys. The incidents are sent in batches of 250, and each has a result: when one of " +
				"them is refused, the others are updated, and then the call fails; the error has the list `failed` of the results that are not as wanted. " +
				"An incident that is resolved already counts as resolved. PagerDuty assigns an incident that is acknowledged to the user of `from_email`.",
			Effect:  action.Repeats,
			Late:    action.LateNever, // a person may have opened an incident again, or assigned it
			Guarded: true,
			Example: action.Object{
				"results": []any{action.Object{"id": "Q0EXAMPLE12345", "ok": true, "status": "resolved", "message": ""}},
				"updated": 1.0, "failed": 0.0,
			},
		}, with(m, updateIncidents), action.Rules[updateIncidentsInput]{
			Validate: func(in *updateIncidentsInput) error {
				return typed(cmp.Or(checkFromEmail(in.FromEmail), in.update().Validate()))
			},
			Known: (*updateIncidentsInput).known,
		}),
	}
}

type incident struct {
	ID               string      `json:"id" doc:"Incident ID"`
	Number           int         `json:"number" doc:"The number that people see"`
	Title            string      `json:"title" doc:"Title"`
	Status           string      `json:"status" doc:"triggered, acknowledged or resolved"`
	Urgency          string      `json:"urgency" doc:"high or low"`
	IncidentKey      string      `json:"incident_key" doc:"The key of its events"`
	CreatedAt        string      `json:"created_at" doc:"When it was opened"`
	HTMLURL          string      `json:"html_url" doc:"Its page"`
	Service          reference   `json:"service" doc:"The service"`
	EscalationPolicy reference   `json:"escalation_policy" doc:"The escalation policy"`
	Assignees        []reference `json:"assignees" doc:"The users to whom it is assigned now"`
}

// TypeName is the type's name in reference tables.
func (incident) TypeName() string { return "incident" }

func incidentOf(i client.Incident) incident {
	out := incident{
		ID: i.ID, Number: i.Number, Title: i.Title, Status: i.Status, Urgency: i.Urgency, IncidentKey: i.Key, CreatedAt: i.CreatedAt,
		HTMLURL: i.HTMLURL, Service: referenceOf(i.Service), EscalationPolicy: referenceOf(i.EscalationPolicy),
	}
	for _, assignment := range i.Assignments {
		out.Assignees = append(out.Assignees, referenceOf(assignment.Assignee))
	}
	return out
}

type incidentIDInput struct {
	ID string `json:"id" required:"true" doc:"Incident ID"`
}

type foundIncidentOutput struct {
	Found    bool     `json:"found" doc:"True if found"`
	Incident incident `json:"incident" doc:"The incident"`
}

func getIncident(ctx context.Context, c *client.Client, in incidentIDInput) (foundIncidentOutput, error) {
	i, err := c.IncidentByID(ctx, in.ID)
	if notFound(err) {
		return foundIncidentOutput{}, nil
	}
	return foundIncidentOutput{Found: err == nil, Incident: incidentOf(i)}, err
}

type listIncidentsInput struct {
	IncidentKey string   `json:"incident_key" doc:"Only incidents with this key of their events"`
	Statuses    []string `json:"statuses" doc:"Only incidents in any of these: triggered, acknowledged, resolved"`
	ServiceIDs  []string `json:"service_ids" doc:"Only incidents of any of these services"`
	Limit       int      `json:"limit" default:"1000" doc:"The most incidents to return, up to 10,000"`
}

func (in *listIncidentsInput) filter() client.IncidentFilter {
	return client.IncidentFilter{Key: in.IncidentKey, Statuses: in.Statuses, ServiceIDs: in.ServiceIDs, Limit: in.Limit}
}

type listIncidentsOutput struct {
	Incidents []incident `json:"incidents" doc:"The incidents"`
	More      bool       `json:"more" doc:"True if there are more than the limit"`
}

func listIncidents(ctx context.Context, c *client.Client, in listIncidentsInput) (listIncidentsOutput, error) {
	found, more, err := c.Incidents(ctx, in.filter())
	out := listIncidentsOutput{More: more}
	for _, i := range found {
		out.Incidents = append(out.Incidents, incidentOf(i))
	}
	return out, err
}

type noteInput struct {
	ID         string `json:"id" required:"true" doc:"Incident ID"`
	Content    string `json:"content" required:"true" doc:"The text, in at most 25,000 characters"`
	FromEmail  string `json:"from_email" doc:"Email of the user on whose behalf; the connection's if absent"`
	Idempotent bool   `json:"idempotent" doc:"Whether adding it twice does no harm, so that it may be repeated"`
}

func (in *noteInput) note() client.NewNote {
	return client.NewNote{IncidentID: in.ID, Content: in.Content, FromEmail: in.FromEmail, Repeatable: in.Idempotent}
}

type noteOutput struct {
	Note client.Note `json:"note" doc:"The note"`
}

func addNote(ctx context.Context, c *client.Client, in noteInput) (noteOutput, error) {
	added, err := c.AddNote(ctx, in.note())
	return noteOutput{Note: added}, err
}

type updateIncidentsInput struct {
	IDs       []string `json:"ids" required:"true" doc:"Incident IDs; an empty list sends nothing"`
	Status    string   `json:"status" required:"true" enum:"acknowledged,resolved" doc:"The new status"`
	FromEmail string   `json:"from_email" doc:"Email of the user on whose behalf; the connection's if absent"`
}

// known says that every incident has the status.
func (in *updateIncidentsInput) known() action.Object {
	results := make([]any, len(in.IDs))
	for i, id := range in.IDs {
		results[i] = action.Object{"id": id, "ok": true, "status": in.Status, "message": ""}
	}
	return action.Object{"results": results, "updated": float64(len(in.IDs)), "failed": 0.0}
}

func (in *updateIncidentsInput) update() client.IncidentsUpdate {
	return client.IncidentsUpdate{IDs: in.IDs, Status: in.Status, FromEmail: in.FromEmail}
}

type updateIncidentsOutput struct {
	Results []client.IncidentResult `json:"results" doc:"The result for each incident, in the order of the ids"`
	Updated int                     `json:"updated" doc:"How many have the status now"`
	Failed  int                     `json:"failed" doc:"How many do not"`
}

func updateIncidents(ctx context.Context, c *client.Client, in updateIncidentsInput) (updateIncidentsOutput, error) {
	results, err := c.UpdateIncidents(ctx, in.update())
	out := updateIncidentsOutput{Results: results}
	for _, result := range results {
		if result.OK {
			out.Updated++
		}
	}
	out.Failed = len(results) - out.Updated
	if err == nil && out.Failed > 0 {
		return out, notUpdated(results, in.Status)
	}
	return out, partly(typed(err), len(results), len(in.IDs))
}

// notUpdated returns the error of an update of which a part failed. Its field failed has the results
// of that part.
func notUpdated(results []client.IncidentResult, status string) error {
	var failed []any
	var texts []string
	for _, r := range results {
		if !r.OK {
			failed = append(failed, action.Object{"id": r.ID, "ok": false, "status": r.Status, "message": r.Message})
			texts = append(texts, r.ID+": "+r.Message)
		}
	}
	if more := len(texts) - maxNamed; more > 0 {
		texts = append(texts[:maxNamed], fmt.Sprintf("and %d more", more))
	}
	return &action.Error{
		Kind: action.Conflict, Details: action.Object{"failed": failed},
		Message: fmt.Sprintf("%d of %d incidents are not %s: %s", len(failed), len(results), status, strings.Join(texts, "; ")),
	}
}

// maxNamed is how many incidents a message names.
const maxNamed = 5

// partly adds to an error how many incidents were updated before it.
func partly(err error, done, all int) error {
	var failure *action.Error
	if done == 0 || !errors.As(err, &failure) {
		return err
	}
	extended := *failure
	extended.Message += fmt.Sprintf("; %d of %d incidents were updated before", done, all)
	return &extended
}
