package run

import "fmt"

// An Outcome is how an attempt ended, or that it is suspended.
type Outcome struct {
	Status  Status   `json:"status"`
	Outputs any      `json:"outputs,omitempty"`
	Size    int      `json:"size,omitempty"` // of the outputs, in bytes of JSON text
	Error   *Failure `json:"error,omitempty"`
	Final   bool     `json:"final,omitempty"` // no other attempt may follow
	Used    *Usage   `json:"used,omitempty"`  // by the step's script
	// Suspension is what a suspended attempt waits for.
	Suspension *Suspension `json:"suspension,omitempty"`
}

// valid returns an error unless the outcome fits an event of kind k. A failure needs
// an error, or its run would end as a success.
func (o *Outcome) valid(k EventKind) error {
	switch {
	case o == nil:
		return fmt.Errorf("%s has no outcome", k)
	case k == EventAttemptSuspended && o.Status == Suspended && o.Error != nil:
		return nil
	case k == EventAttemptFinished && (o.Status == Success || o.Status == Skipped || o.Status == Failed && o.Error != nil):
		return nil
	}
	return fmt.Errorf("outcome %q is not valid for %s", o.Status, k)
}

// suspension returns what the attempt waits for. Histories from before suspensions had
// a reason name the call in the error.
func (o *Outcome) suspension() Suspension {
	if o.Suspension != nil {
		return *o.Suspension
	}
	return Suspension{Reason: CallUnknown, Call: o.Error.Call}
}

// A Usage is how much of its limits the script of an attempt has used.
type Usage struct {
	Instructions int `json:"instructions"`
	Bytes        int `json:"bytes"`        // of all text and tables it made, also those that are gone
	Microseconds int `json:"microseconds"` // of computing, without the time spent waiting in calls
}
