package api

import (
	"net/http"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

func renderNote(a *account.Account, n account.Note) document {
	return document{
		{"id", n.ID},
		{"user", userByID(a, n.User, false)},
		{"channel", document{{"type", account.ChannelAPI}, {"summary", "The PagerDuty website or APIs"}}},
		{"content", n.Content},
		{"created_at", timestamp(n.At)},
	}
}

// listNotes answers GET /incidents/{id}/notes. The listing has no pages: go-pagerduty
// v1.8.0 decodes it as an object of lists only.
func listNotes(x *Exchange, found *account.Incident) Response {
	return single(http.StatusOK, "notes", account.Each(found.Notes, func(n account.Note) document {
		return renderNote(x.account, n)
	}))
}

// createNote answers POST /incidents/{id}/notes.
func createNote(x *Exchange, author *account.Member) Response {
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
