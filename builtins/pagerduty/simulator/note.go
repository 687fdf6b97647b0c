package simulator

import "net/http"

// maximumNoteLength is [unknown, safe reading].
const maximumNoteLength = 25_000

// noteDocument is a note as the REST API sends it.
type noteDocument struct {
	ID        string          `json:"id"`
	User      *reference      `json:"user"`
	Channel   channelDocument `json:"channel"`
	Content   string          `json:"content"`
	CreatedAt string          `json:"created_at"`
}

func (a *account) noteDocument(n Note) noteDocument {
	return noteDocument{
		ID:        n.ID,
		User:      a.userReferenceByID(n.User),
		Channel:   channelDocument{Type: channelAPI, Summary: "The PagerDuty website or APIs"},
		Content:   n.Content,
		CreatedAt: timestamp(n.At),
	}
}

// listNotes answers GET /incidents/{id}/notes. It is the one listing without
// pages: go-pagerduty v1.8.0 decodes it as lists and nothing else.
func (s *Simulator) listNotes(x *exchange) response {
	found := s.incidents.byID(x.id)
	if found == nil {
		return notFound()
	}
	documents := make([]noteDocument, 0, len(found.Notes))
	for _, n := range found.Notes {
		documents = append(documents, s.noteDocument(n))
	}
	return single(http.StatusOK, "notes", documents)
}

// createNote answers POST /incidents/{id}/notes.
func (s *Simulator) createNote(x *exchange) response {
	if refused, ok := s.checkFrom(x, true); !ok {
		return refused
	}
	found := s.incidents.byID(x.id)
	if found == nil {
		return notFound()
	}
	fields, refused, ok := readResource(x.body, "note", "Note")
	if !ok {
		return refused
	}
	content, ok := fields.text("content")
	switch {
	case !ok || isBlank(content):
		return invalidInput("Content can't be blank")
	case isLonger(content, maximumNoteLength):
		return invalidInput("Content is too long")
	}
	author := s.requester(x)
	added := Note{ID: s.identifiers.of("note", "Q", 13), User: author.ID, Content: content, At: x.now}
	found.Notes = append(found.Notes, added)
	s.record(found, LogEntry{Type: "annotate", Description: content, At: x.now}, channelAPI, author.ID)
	s.announce(incidentAnnotated, found, author.ID, x.now)
	return single(http.StatusCreated, "note", s.noteDocument(added))
}
