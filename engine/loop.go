package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A loop drives one run. It alone applies events, in turns: it takes what has
// happened, writes it to the journal in one piece, and only then does what that
// enables.
type loop struct {
	local    *Local
	plan     *workflow.Plan
	run      *run.State
	executor *attempt.Executor
	clock    action.Clock
	redactor *action.Redactor
	id       string
	entry    *journal.Entry // until the journal has it
	patient  bool           // it waits where its group would skip it
	sequence int

	batch   []run.Event // applied, and not yet in the journal
	urgent  bool        // the batch must be durable before the run goes on
	pending int         // bytes of answers in the batch
	todo    []run.Command
	asked   []message // attempts that wait for the batch

	messages chan message      // from the attempts under way
	wake     chan func() error // from timers: called by the loop
	ended    chan struct{}     // closed when the loop takes no more
	attempts map[run.TaskID]*liveAttempt
	working  int // goroutines of attempts
	calls    attempt.History

	deadline     time.Time // that the timer is set for
	stopDeadline func() bool
	done         bool // the run has ended, or is suspended

	begun func()                          // called once the run's beginning is durable
	admit func() (waited bool, err error) // waits for a slot; nil once the run has one

	virtual *clock.Virtual // the clock, when it is one
	spent   int            // what was under way and ends with this turn; see pass
}

// A message is an event that an attempt reports, with its time: the loop may take
// it later. One with a reply waits until it was taken, and durable when that is
// asked for.
type message struct {
	event   run.Event
	durable bool
	last    bool // the attempt has ended
	reply   chan reply
}

type reply struct {
	sequence int
	err      error
}

// drive goes on with the run until it has ended or is suspended.
func (l *loop) drive(ctx context.Context) (*run.Result, error) {
	defer close(l.ended)
	defer l.watchCancel()()
	cancelled := ctx.Done()
	if l.local.Admit != nil {
		l.admit = func() (bool, error) { return l.local.Admit(ctx, l.id) }
	}
	err := l.turn()
	for err == nil && !l.done {
		l.pass()
		select {
		case m := <-l.messages:
			err = l.receive(m)
		case f := <-l.wake:
			l.spent++
			err = f()
		case <-cancelled:
			cancelled = nil
			err = l.take(run.Event{Kind: run.EventCancelled})
		}
		if err == nil {
			err = l.turn()
		}
	}
	l.setDeadline(time.Time{})
	if err != nil {
		l.abandon()
		return nil, err
	}
	result := l.run.Result()
	if result.Suspended && l.local.Journal != nil {
		err = l.local.Journal.Release(context.WithoutCancel(ctx), l.id) // whoever decides goes on with it
	}
	return result, err
}

// turn takes what else is there, makes it durable, and does what it enables,
// until nothing is left to do at once.
func (l *loop) turn() error {
	for more := true; more; {
		if err := l.receiveAll(); err != nil {
			return err
		}
		if err := l.commit(); err != nil {
			return err
		}
		if err := l.awaitSlot(); err != nil {
			return err
		}
		commands := l.todo
		l.todo = nil
		for _, c := range commands {
			l.do(c)
		}
		more = len(l.todo) > 0 || l.urgent
	}
	l.setDeadline(l.run.Deadline())
	return nil
}

// awaitSlot asks once for a slot, before the run does anything. The time that the run
// waited is recorded, so that its timeouts do not count it, after a resume either.
func (l *loop) awaitSlot() error {
	if l.admit == nil {
		return nil
	}
	waited, err := l.admit()
	if err != nil {
		return err
	}
	l.admit = nil
	if !waited {
		return nil
	}
	if err := l.take(run.Event{Kind: run.EventAdmitted}); err != nil {
		return err
	}
	return l.commit()
}

// maxBatch is how many events are written at once, and how many that could wait
// do so.
const maxBatch = 256

// maxPending is how many bytes of answers may wait in memory for what follows.
const maxPending = 1 << 20

// receiveAll takes the messages that are there already: branches that run in
// parallel share a commit.
func (l *loop) receiveAll() error {
	for len(l.batch) < maxBatch {
		select {
		case m := <-l.messages:
			if err := l.receive(m); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// receive takes the message of an attempt.
func (l *loop) receive(m message) error {
	if m.last {
		l.working--
		l.spent++
		delete(l.attempts, run.TaskID{Step: m.event.Step, Item: m.event.Item})
	}
	l.urgent = l.urgent || m.durable
	err := l.take(m.event)
	switch m.event.Sequence = l.sequence; {
	case m.reply == nil:
	case m.durable || err != nil:
		l.asked = append(l.asked, m)
	default:
		m.reply <- reply{sequence: l.sequence}
	}
	return err
}

// take gives an event its number and time, applies it and shows it to the
// observers. What it enables is done after it is durable; attempts that it
// starts are recorded with it.
func (l *loop) take(e run.Event) error {
	e.Sequence, e.Run = l.sequence+1, l.id
	if e.Time.IsZero() {
		e.Time = l.clock.Now()
	}
	commands, err := l.run.Apply(e)
	if err != nil {
		return fmt.Errorf("the run cannot go on, which is a mistake of pdflow: %w", err)
	}
	l.sequence++
	l.batch = append(l.batch, l.shown(e))
	if e.Kind == run.EventCallReturned {
		l.pending += attempt.ValueSize(e.Call.Output)
	}
	l.urgent = l.urgent || !e.Kind.Record() || len(l.batch) >= maxBatch || l.pending > maxPending
	l.remember(e)
	for _, o := range l.local.Observers {
		o.Observe(l.batch[len(l.batch)-1])
	}
	for _, c := range commands {
		if err := l.enabled(c); err != nil {
			return err
		}
	}
	return nil
}

// shown is an event as the journal and observers may have it: an input may hold
// the text of a secret.
func (l *loop) shown(e run.Event) run.Event {
	if e.Started != nil {
		shown := *e.Started
		shown.Inputs, _ = l.redactor.RedactValue(shown.Inputs).(action.Object)
		e.Started = &shown
	}
	return e
}

// enabled records at once what a command makes happen, and keeps the rest for
// after that is durable.
func (l *loop) enabled(c run.Command) error {
	l.todo = append(l.todo, c)
	switch c := c.(type) {
	case run.StartAttempt:
		if !c.Attempt.Replay {
			return l.take(run.Event{Kind: run.EventAttemptStarted, Step: c.Attempt.Step, Item: c.Attempt.Item, Attempt: c.Attempt.Number})
		}
	case run.Finish:
		return l.take(run.Event{Kind: run.EventFinished, Status: c.Status, Outputs: c.Outputs, Error: c.Error})
	case run.Suspend:
		return l.take(run.Event{Kind: run.EventSuspended, Error: c.Error})
	}
	return nil
}

// commit writes the batch to the journal, unless it can wait for what follows.
func (l *loop) commit() error {
	if !l.urgent {
		return nil
	}
	err := l.write()
	l.urgent = false
	for _, m := range l.asked {
		m.reply <- reply{m.event.Sequence, err}
	}
	l.asked = nil
	return err
}

// write appends the batch. It does not end with the run's context: what was done
// is recorded whatever else happens.
func (l *loop) write() error {
	batch := l.batch
	l.batch, l.pending = nil, 0 // the journal may keep the old one
	if l.local.Journal == nil || len(batch) == 0 {
		l.hasBegun() // there is nothing to wait for
		return nil
	}
	ctx := context.Background()
	var err error
	if l.entry != nil {
		err = l.local.Journal.Begin(ctx, *l.entry, batch)
		l.entry = nil
	} else {
		err = l.local.Journal.Append(ctx, l.id, batch)
	}
	if err != nil {
		return &JournalError{l.id, err}
	}
	l.hasBegun()
	return nil
}

// hasBegun says that the beginning of the run is durable, once.
func (l *loop) hasBegun() {
	if l.begun != nil {
		l.begun()
		l.begun = nil
	}
}

// do does what a command asks for.
func (l *loop) do(c run.Command) {
	switch c := c.(type) {
	case run.StartAttempt:
		l.launch(c.Attempt)
	case run.WaitAttempt:
		l.launchAt(c.Attempt, c.Until)
	case run.CancelAttempt:
		if a := l.attempts[run.TaskID{Step: c.Step, Item: c.Item}]; a != nil {
			a.cancel(c.Cause)
		}
	case run.Finish, run.Suspend:
		l.done = true
	}
}

// after has the loop call a function once a duration has passed.
func (l *loop) after(d time.Duration, f func() error) (stop func() bool) {
	return l.clock.AfterFunc(d, func() {
		l.underWay()
		select {
		case l.wake <- f:
		case <-l.ended:
			if l.virtual != nil {
				l.virtual.End(1)
			}
		}
	})
}

// underWay tells a virtual clock that something is: the run while it is in a turn, an
// attempt, or a timer on its way to the run. It ends with the turn that takes it.
func (l *loop) underWay() {
	if l.virtual != nil {
		l.virtual.Begin()
	}
}

// pass ends what the turn has taken: what it made happen is under way by now.
func (l *loop) pass() {
	if l.virtual != nil && l.spent > 0 {
		l.virtual.End(l.spent)
	}
	l.spent = 0
}

// setDeadline sets the timer that ends the part under way; no time sets none.
func (l *loop) setDeadline(at time.Time) {
	if at.Equal(l.deadline) {
		return
	}
	if l.stopDeadline != nil {
		l.stopDeadline()
		l.stopDeadline = nil
	}
	if l.deadline = at; at.IsZero() {
		return
	}
	l.stopDeadline = l.after(at.Sub(l.clock.Now()), func() error {
		if !l.deadline.Equal(at) {
			return nil // it was over already when the timer came
		}
		return l.take(run.Event{Kind: run.EventTimedOut})
	})
}

// cancelEvery is how often a run looks whether another process wants it cancelled.
// In virtual time, where a month passes in a moment, it looks less often.
const (
	cancelEvery        = time.Second
	cancelEveryVirtual = time.Minute
)

// watchCancel looks for requests to cancel the run.
func (l *loop) watchCancel() (stop func()) {
	if l.local.Journal == nil {
		return func() {}
	}
	every := cancelEvery
	if l.virtual != nil {
		every = cancelEveryVirtual
	}
	stopTimer := func() bool { return false }
	var look func() error
	look = func() error {
		asked, err := l.local.Journal.CancelRequested(context.Background(), l.id)
		if err == nil && asked {
			return l.take(run.Event{Kind: run.EventCancelled})
		}
		stopTimer = l.after(every, look)
		return nil // a journal that cannot be read is found out by the next write
	}
	stopTimer = l.after(every, look)
	return func() { stopTimer() }
}

// errUnrecorded ends the attempts of a run that can no longer be recorded.
var errUnrecorded error = &action.Error{Kind: action.Cancelled, Message: "the run cannot be recorded any more"}

// abandon stops a run that cannot go on here. Nothing more of it is sent, and
// nothing of it is left when it returns.
func (l *loop) abandon() {
	for _, a := range l.attempts {
		a.cancel(errUnrecorded)
	}
	for _, m := range l.asked {
		m.reply <- reply{err: errUnrecorded}
	}
	for l.working > 0 {
		m := <-l.messages
		if m.last {
			l.working--
			l.spent++
		}
		if m.reply != nil {
			m.reply <- reply{err: errUnrecorded}
		}
	}
}

// remember keeps the calls for a later attempt of the same step.
func (l *loop) remember(e run.Event) {
	if e.Kind.Record() {
		l.calls.Add(e)
	} else if e.Kind == run.EventAttemptFinished && e.Outcome.Status != run.Failed {
		delete(l.calls, run.TaskID{Step: e.Step, Item: e.Item})
	}
}
