package account

import "time"

// maximumNoteLength is [unknown, safe reading].
const maximumNoteLength = 25_000

// Note is a text that a user added to an incident.
type Note struct {
	ID      string    `json:"id"`
	User    string    `json:"user"` // the ID
	Content string    `json:"content"`
	At      time.Time `json:"at"`
}

// AddNote adds a note to an incident. The error is Invalid.
func (a *Account) AddNote(i *Incident, content, userID string, now time.Time) (Note, error) {
	switch {
	case IsBlank(content):
		return Note{}, Invalid{"Content can't be blank"}
	case IsLonger(content, maximumNoteLength):
		return Note{}, Invalid{"Content is too long"}
	}
	added := Note{ID: a.Identifiers.Of("note", "Q", 13), User: userID, Content: content, At: now}
	i.Notes = append(i.Notes, added)
	a.record(i, LogEntry{Type: "annotate", Description: content, At: now}, ChannelAPI, userID)
	a.announce(IncidentAnnotated, i, userID, now)
	return added, nil
}
