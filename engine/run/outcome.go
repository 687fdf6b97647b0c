package run

import "fmt"

// An Outcome is what became of an attempt.
type Outcome struct {
	Status  Status   `json:"status"`
	Outputs any      `json:"outputs,omitempty"`
	Size    int      `json:"size,omitempty"` // of the outputs, in bytes of JSON text
	Error   *Failure `json:"error,omitempty"`
	Final   bool     `json:"final,omitempty"` // no other attempt may follow
	Used    *Usage   `json:"used,omitempty"`  // by the step's script
}

// valid refuses what cannot be the outcome of an attempt that ends with an event
// of a kind. A failure without an error would end its run as a success.
func (o *Outcome) valid(k EventKind) error {
	switch {
	case o == nil:
		return fmt.Errorf("%s has no outcome", k)
	case k == EventAttemptSuspended && o.Status == Suspended && o.Error != nil:
		return nil
	case k == EventAttemptFinished && (o.Status == Success || o.Status == Skipped || o.Status == Failed && o.Error != nil):
		return nil
	}
	return fmt.Errorf("%s has the outcome %q, which no such attempt has", k, o.Status)
}

// A Usage is what the programs of an attempt have used of their limits.
type Usage struct {
	Instructions int `json:"instructions"`
	Bytes        int `json:"bytes"`        // of text and tables that were made in all
	Microseconds int `json:"microseconds"` // that they computed, without waiting in calls
}
