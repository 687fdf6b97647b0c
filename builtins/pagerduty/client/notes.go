package client

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
)

// Note is a text that was added to an incident. Actions return it as it is.
type Note struct {
	ID        string `json:"id" doc:"ID"`
	Content   string `json:"content" doc:"The text"`
	CreatedAt string `json:"created_at" doc:"When it was added"`
}

// TypeName is the type's name in reference tables.
func (Note) TypeName() string { return "note" }

// noteEnvelope is the JSON of one note in the REST API.
type noteEnvelope struct {
	Note Note `json:"note"`
}

func (e *noteEnvelope) complete() bool { return e.Note.ID != "" }

// NewNote is a note to add.
type NewNote struct {
	IncidentID, Content string
	FromEmail           string // e-mail address of the user on whose behalf; empty: the address of the configuration
	// Repeatable allows the client to send the request again after a lost answer: a
	// second note then does no harm.
	Repeatable bool
}

// AddNote adds a note to an incident. An error with Sent set means that the note may
// have been added.
func (c *Client) AddNote(ctx context.Context, note NewNote) (Note, error) {
	note.FromEmail = cmp.Or(note.FromEmail, c.config.FromEmail)
	if err := cmp.Or(ValidateNote(note), validateFrom(note.FromEmail, "a note is added")); err != nil {
		return Note{}, err
	}
	in := map[string]map[string]string{"note": {"content": note.Content}}
	var out noteEnvelope
	path := "/incidents/" + url.PathEscape(note.IncidentID) + "/notes"
	err := c.do(ctx, c.rest("add note", http.MethodPost, path, onceOr(note.Repeatable, updates), in, note.FromEmail), &out, out.complete)
	return out.Note, err
}

// maxNote is the most characters of a note. The limit is our own: PagerDuty documents
// none.
const maxNote = 25_000

// ValidateNote checks a note without its From address.
func ValidateNote(note NewNote) error {
	if err := ValidateIncidentID(note.IncidentID); err != nil {
		return err
	}
	if strings.TrimSpace(note.Content) == "" {
		return invalid("", "", "the content of the note is empty")
	}
	return tooLong("the content of the note", note.Content, maxNote)
}
