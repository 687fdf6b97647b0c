package run

// Died is the reason of a run.resumed after which the process that worked on the run before
// had died. A process that is stopped gives its runs up, and then there is no reason.
const Died = "its process died"

// Deaths returns how many processes died, one after the other, while they worked on a run,
// since the run last got further or a person resumed it. events is its history.
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
