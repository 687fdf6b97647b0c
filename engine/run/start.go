package run

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// A Start is what a run starts from. It does not change during the run.
type Start struct {
	Workflow string        `json:"workflow"`
	Source   string        `json:"source"` // SHA-256 of the workflow's text
	Inputs   action.Object `json:"inputs"` // secret inputs are [action.Secret]s
	Trigger  Trigger       `json:"trigger"`
	Target   Target        `json:"target"`
	// Previous is the last successful run of the workflow. It is nil when there is none,
	// and when the workflow does not read it.
	Previous *Previous `json:"previous,omitempty"`
}

// A Previous is the last successful run of a workflow.
type Previous struct {
	Outputs action.Object `json:"outputs"`
	Status  Status        `json:"status"`
	EndedAt time.Time     `json:"ended_at"`
}

// A Trigger is why a run started.
type Trigger struct {
	Kind        string     `json:"kind"` // manual, schedule, webhook, call
	ScheduledAt *time.Time `json:"scheduled_at,omitempty"`
	Schedule    string     `json:"schedule,omitempty"` // the id of the schedule
}

// A Target is the account that a run talks to. A run is never resumed against another
// target.
type Target struct {
	Simulation string `json:"simulator,omitempty"` // the id of a simulated service; empty for a real one
	Connection string `json:"connection,omitempty"`
	Region     string `json:"region,omitempty"`
	APIURL     string `json:"api_url,omitempty"`
	EventsURL  string `json:"events_url,omitempty"`
	// Keys are fingerprints of the keys, by purpose, salted with the run's id.
	Keys map[string]string `json:"keys,omitempty"`
	// Others are the targets of single steps, in the order of their names.
	Others []Target `json:"others,omitempty"`
}

// Realm returns the name of the target within which a run finds its previous run. All
// simulated services count as one target.
func (t Target) Realm() string {
	if t.Simulation != "" {
		return "simulator"
	}
	return t.Connection + " " + t.APIURL + " " + t.EventsURL
}

// WithKeys returns the target with the fingerprints of keys. They are salted with the
// run's id, so that equal keys look different in every run.
func (t Target) WithKeys(run string, keys map[string]string) Target {
	t.Keys = nil
	for name, key := range keys {
		if key == "" {
			continue
		}
		if t.Keys == nil {
			t.Keys = map[string]string{}
		}
		sum := sha256.Sum256([]byte(run + "\x00" + key))
		t.Keys[name] = hex.EncodeToString(sum[:8])
	}
	return t
}

// An Actor is who caused an event: who started, cancelled, resumed or decided. The
// program that accepts a command says who gave it; the command itself cannot.
type Actor struct {
	Kind ActorKind `json:"kind"`
	Name string    `json:"name,omitempty"`
}

// String returns the actor as KIND:NAME.
func (a Actor) String() string { return string(a.Kind) + ":" + a.Name }

// An ActorKind is how an actor was identified.
type ActorKind string

// The kinds of actors.
const (
	ActorUser     ActorKind = "user"     // of the command line, as USER@HOST
	ActorSocket   ActorKind = "socket"   // of the control socket, by user id
	ActorToken    ActorKind = "token"    // of the HTTP API, by the name of the token
	ActorHook     ActorKind = "hook"     // a webhook, by its name
	ActorSchedule ActorKind = "schedule" // a schedule, by its id
)
