package run

// Died is the reason of a run.resumed event if the process that worked on the run before has
// died. A process that is stopped gives its runs up first; then the event has no reason.
const Died = "its process died"

// Deaths returns how many processes have died while they worked on a run, since its last
// progress or since a person resumed it. events is the history of the run.
func Deaths(events []Event) (deaths int) {
	for i := len(events) - 1; i >= 0; i-- {
		switch e := events[i]; {
		case e.Kind == EventResumed && e.Actor != nil:
			return deaths
		case e.Kind == EventResumed && e.Reason == Died:
			deaths++
		case e.Kind == EventResumed, e.Kind == EventAdmitted, e.Kind == EventLogged:
		default:
			return deaths
		}
	}
	return deaths
}
