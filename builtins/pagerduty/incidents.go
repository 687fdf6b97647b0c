package pagerduty

import (
	"context"
	"errors"
	"fmt"

	"github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
)

func incidentsActions(m module) []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "pagerduty.get_incident",
			Summary: "Get an incident by id.",
			Doc:     "That there is none is a result. By the key of its events an incident is found with list_incidents.",
			Effect:  action.Reads,
		}, m.getIncident),
		action.New(action.Spec{
			Name:    "pagerduty.list_incidents",
			Summary: "List incidents.",
			Doc: "All pages are read, up to `limit` incidents, and come as one list, however old they are; `more` says that there " +
				"are others. " + loopDoc + " Events are processed after they were accepted, so the incident of a trigger may take a " +
				"moment to appear.",
			Effect: action.Reads,
			Lists:  action.Listing{Items: "incidents", Limit: "limit", More: "more"},
		}, m.listIncidents),
		action.New(action.Spec{
			Name:    "pagerduty.add_incident_note",
			Summary: "Add a note to an incident.",
			Doc: "Two notes are two entries, so it is never sent again when it is unknown whether it arrived, unless `idempotent` " +
				"says that a second one does no harm.",
			Effect:  action.Once,
			Example: action.Object{"note": action.Object{"id": "PWL7QXS", "content": "disk cleaned", "created_at": "2026-01-31T09:00:00Z"}},
		}, m.addNote),
		action.New(action.Spec{
			Name:    "pagerduty.update_incidents",
			Summary: "Acknowledge or resolve incidents.",
			Doc: "It needs no service keys, unlike events. The incidents are sent in batches of 250; each has a result, and that one " +
				"of them is refused is a result too. PagerDuty assigns an incident that is acknowledged to the user of `from_email`.",
			Effect:  action.Repeats,
			Guarded: true,
			Example: action.Object{
				"results": []any{action.Object{"id": "Q0EXAMPLE12345", "ok": true, "status": "resolved", "message": ""}},
				"updated": 1.0, "failed": 0.0,
			},
		}, m.updateIncidents),
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
	Assignees        []reference `json:"assignees" doc:"The users that have it now"`
}

// TypeName is the type's name in reference tables.
func (incident) TypeName() string { return "incident" }

func incidentOf(i client.Incident) incident {
	out := incident{
		ID: i.ID, Number: i.Number, Title: i.Title, Status: i.Status, Urgency: i.Urgency, IncidentKey: i.Key, CreatedAt: i.CreatedAt,
		HTMLURL: i.HTMLURL, Service: referenceOf(i.Service), EscalationPolicy: referenceOf(i.EscalationPolicy),
	}
	for _, assignee := range i.Assignees {
		out.Assignees = append(out.Assignees, referenceOf(assignee))
	}
	return out
}

type incidentIDInput struct {
	ID string `json:"id" required:"true" doc:"Incident ID"`
}

// Validate refuses what could turn the URL into another one.
func (in *incidentIDInput) Validate() error {
	return typed(client.ValidateIncidentID(in.ID))
}

type foundIncidentOutput struct {
	Found    bool     `json:"found" doc:"True if found"`
	Incident incident `json:"incident" doc:"The incident"`
}

func (m module) getIncident(ctx context.Context, in incidentIDInput) (foundIncidentOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return foundIncidentOutput{}, err
	}
	i, err := c.IncidentByID(ctx, in.ID)
	if notFound(err) {
		return foundIncidentOutput{}, nil
	}
	return foundIncidentOutput{Found: err == nil, Incident: incidentOf(i)}, typed(err)
}

type listIncidentsInput struct {
	IncidentKey string   `json:"incident_key" doc:"Only those with this key of their events"`
	Statuses    []string `json:"statuses" doc:"Only those in any of these: triggered, acknowledged, resolved"`
	ServiceIDs  []string `json:"service_ids" doc:"Only those of any of these services"`
	Limit       int      `json:"limit" default:"1000" doc:"At most so many, up to 10,000"`
}

// Validate checks the statuses, the ids and the limit.
func (in *listIncidentsInput) Validate() error {
	if err := in.filter().Validate(); err != nil {
		return typed(err)
	}
	return checkListLimit(in.Limit)
}

func (in *listIncidentsInput) filter() client.IncidentFilter {
	return client.IncidentFilter{Key: in.IncidentKey, Statuses: in.Statuses, ServiceIDs: in.ServiceIDs, Limit: in.Limit}
}

type listIncidentsOutput struct {
	Incidents []incident `json:"incidents" doc:"The incidents"`
	More      bool       `json:"more" doc:"True if there are more than the limit"`
}

func (m module) listIncidents(ctx context.Context, in listIncidentsInput) (listIncidentsOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return listIncidentsOutput{}, err
	}
	found, more, err := c.Incidents(ctx, in.filter())
	out := listIncidentsOutput{More: more}
	for _, i := range found {
		out.Incidents = append(out.Incidents, incidentOf(i))
	}
	return out, typed(err)
}

type noteInput struct {
	ID         string `json:"id" required:"true" doc:"Incident ID"`
	Content    string `json:"content" required:"true" doc:"The text, in at most 25,000 characters"`
	FromEmail  string `json:"from_email" doc:"Email of the user on whose behalf; the connection's if absent"`
	Idempotent bool   `json:"idempotent" doc:"Whether adding it twice does no harm, so that it may be repeated"`
}

// CallEffect goes by what the author says of a second one.
func (in *noteInput) CallEffect() action.Effect { return onceUnless(in.Idempotent) }

// KnownOutput is the text of the note.
func (in *noteInput) KnownOutput() action.Object {
	return action.Object{"note": action.Object{"content": in.Content}}
}

// Validate checks everything but from_email, which the connection may have.
func (in *noteInput) Validate() error {
	if err := checkFromEmail(in.FromEmail); err != nil {
		return err
	}
	return typed(client.ValidateNote(in.note()))
}

func (in *noteInput) note() client.NewNote {
	return client.NewNote{IncidentID: in.ID, Content: in.Content, FromEmail: in.FromEmail, Repeatable: in.Idempotent}
}

// checkFromEmail checks an input called from_email that may be absent.
func checkFromEmail(email string) error {
	if email == "" {
		return nil
	}
	if err := client.ValidateEmail(email); err != nil {
		return action.Errorf(action.InvalidInput, `"from_email": %v`, err)
	}
	return nil
}

type note struct {
	ID        string `json:"id" doc:"ID"`
	Content   string `json:"content" doc:"The text"`
	CreatedAt string `json:"created_at" doc:"When it was added"`
}

// TypeName is the type's name in reference tables.
func (note) TypeName() string { return "note" }

type noteOutput struct {
	Note note `json:"note" doc:"The note"`
}

func (m module) addNote(ctx context.Context, in noteInput) (noteOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return noteOutput{}, err
	}
	added, err := c.AddNote(ctx, in.note())
	return noteOutput{Note: note(added)}, typed(err)
}

type updateIncidentsInput struct {
	IDs       []string `json:"ids" required:"true" doc:"Incident IDs; none is nothing to do"`
	Status    string   `json:"status" required:"true" enum:"acknowledged,resolved" doc:"What they are to be"`
	FromEmail string   `json:"from_email" doc:"Email of the user on whose behalf; the connection's if absent"`
}

// HarmlessLate says that a late repeat may do harm: somebody may have opened an
// incident again, or given it to somebody else.
func (in *updateIncidentsInput) HarmlessLate() bool { return false }

// KnownOutput says that every incident has the status.
func (in *updateIncidentsInput) KnownOutput() action.Object {
	results := make([]any, len(in.IDs))
	for i, id := range in.IDs {
		results[i] = action.Object{"id": id, "ok": true, "status": in.Status, "message": ""}
	}
	return action.Object{"results": results, "updated": float64(len(in.IDs)), "failed": 0.0}
}

// Validate checks everything but from_email, which the connection may have.
func (in *updateIncidentsInput) Validate() error {
	if err := checkFromEmail(in.FromEmail); err != nil {
		return err
	}
	return typed(in.update().Validate())
}

func (in *updateIncidentsInput) update() client.IncidentsUpdate {
	return client.IncidentsUpdate{IDs: in.IDs, Status: in.Status, FromEmail: in.FromEmail}
}

type incidentResult struct {
	ID      string `json:"id" doc:"Incident ID"`
	OK      bool   `json:"ok" doc:"True if the incident has the status now"`
	Status  string `json:"status" doc:"Its status; empty if it is not known"`
	Message string `json:"message" doc:"Why not, or what else PagerDuty says; empty when nothing is to say"`
}

// TypeName is the type's name in reference tables.
func (incidentResult) TypeName() string { return "incident_result" }

type updateIncidentsOutput struct {
	Results []incidentResult `json:"results" doc:"What became of each, in the order of the ids"`
	Updated int              `json:"updated" doc:"How many have the status now"`
	Failed  int              `json:"failed" doc:"How many have not"`
}

func (m module) updateIncidents(ctx context.Context, in updateIncidentsInput) (updateIncidentsOutput, error) {
	c, err := m.client(ctx)
	if err != nil {
		return updateIncidentsOutput{}, err
	}
	results, err := c.UpdateIncidents(ctx, in.update())
	var out updateIncidentsOutput
	for _, result := range results {
		out.Results = append(out.Results, incidentResult(result))
		if result.OK {
			out.Updated++
			continue
		}
		out.Failed++
	}
	return out, halfway(typed(err), len(results), len(in.IDs))
}

// halfway adds to an error how many incidents were dealt with before it.
func halfway(err error, done, all int) error {
	var failure *action.Error
	if done == 0 || !errors.As(err, &failure) {
		return err
	}
	told := *failure
	told.Message += fmt.Sprintf("; %d of %d incidents were dealt with before", done, all)
	return &told
}
