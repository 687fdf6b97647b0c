package api

import (
	"net/http"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// noteDocument is a note as the REST API sends it.
type noteDocument struct {
	ID        string          `json:"id"`
	User      *reference      `json:"user"`
	Channel   channelDocument `json:"channel"`
	Content   string          `json:"content"`
	CreatedAt string          `json:"created_at"`
}

func renderNote(a *account.Account, n account.Note) noteDocument {
	return noteDocument{
		ID:        n.ID,
		User:      referToUserID(a, n.User),
		Channel:   channelDocument{Type: account.ChannelAPI, Summary: "The PagerDuty website or APIs"},
		Content:   n.Content,
		CreatedAt: timestamp(n.At),
	}
}

// listNotes answers GET /incidents/{id}/notes. The listing has no pages: go-pagerduty
// v1.8.0 decodes it as an object of lists only.
func listNotes(x *Exchange, found *account.Incident) Response {
	documents := make([]noteDocument, 0, len(found.Notes))
	for _, n := range found.Notes {
		documents = append(documents, renderNote(x.account, n))
	}
	return single(http.StatusOK, "notes", documents)
}

// createNote answers POST /incidents/{id}/notes.
func createNote(x *Exchange) Response {
	author, refused, ok := x.requester()
	if !ok {
		return refused
	}
	found := x.account.Incidents.ByID(x.id)
	if found == nil {
		return notFound()
	}
	fields, refused, ok := readResource(x.body, "note", "Note")
	if !ok {
		return refused
	}
	content, _ := fields.text("content") // a content of another type counts as blank
	added, err := x.account.AddNote(found, content, author.ID, x.Now)
	if err != nil {
		return refuse(err)
	}
	return single(http.StatusCreated, "note", renderNote(x.account, added))
}
