package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/attempt"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/run"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A loop executes one run. Only the loop applies events to the state. It works in turns:
// it takes the events that are there, writes them to the journal in one commit, and only
// then does what they enable.
type loop struct {
	local    *Local
	plan     *workflow.Plan
	state    *run.State
	executor *attempt.Executor
	clock    clock.Clock
	times    runTime
	redactor *redact.Redactor
	id       string
	actor    *run.Actor     // who asked for the work on the run; nil when unknown
	entry    *journal.Entry // until the journal has it
	patient  bool           // it waits where its group would skip it
	sequence int            // of the last event
	listed   int            // bytes of the lists of for_each steps
	kept     int64          // bytes of outputs that it keeps

	batch   []run.Event // applied and not yet in the journal
	urgent  bool        // the batch must be durable before the run continues
	pending int         // bytes of answers in the batch
	todo    []run.Command
	asked   []message // of attempts that wait until the batch is durable

	messages chan message      // from running attempts
	wake     chan func() error // from timers: called by the loop
	ended    chan struct{}     // closed when the loop takes no more
	attempts map[run.TaskID]*liveAttempt
	launched []func() // attempts whose goroutines start once all commands of the turn are done
	working  int      // goroutines of attempts
	history  attempt.History

	deadline     time.Time // that the timer is set for
	stopDeadline func() bool
	done         bool // the run has ended, or is suspended

	started func()                          // called once the start or resume is durable
	admit   func() (waited bool, err error) // waits for a slot; nil once the run has one
	virtual *clock.Virtual                  // the clock, when it is one
	spent   int                             // pieces of work that this turn has taken; see pass
}

// A runTime is the time of the events of a run: what the clock showed when the process began
// to work on the run, and the time that has passed since. A clock that is set meanwhile
// changes no wait, no timeout, and no order of the events.
type runTime struct {
	clock clock.Clock
	began clock.Reading
}

func (t runTime) now() time.Time { return clock.Read(t.clock).Unset(t.began) }

// A message is an event that an attempt reports. It has its time, since the loop may take
// it later. If it has a reply channel, the attempt waits until the event is applied, or
// with durable until it is durable.
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

// drive continues the run until it has ended or is suspended.
func (l *loop) drive(ctx context.Context) (*run.Result, error) {
	defer close(l.ended)
	defer func() { l.local.Memory.keep(-l.kept) }()
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
			err = l.take(run.Event{Kind: run.EventCancelled, Actor: canceller(ctx, l.actor)})
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
	result := l.state.Result()
	if result.Suspended && l.local.Journal != nil {
		// The process that brings the decision resumes it.
		err = l.local.Journal.Release(context.WithoutCancel(ctx), l.id)
	}
	return result, err
}

// turn takes the events that are there, makes them durable, and does what they enable,
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
		for _, execute := range l.launched {
			go execute()
		}
		l.launched = nil
		more = len(l.todo) > 0 || l.urgent
	}
	l.setDeadline(l.state.Deadline())
	return nil
}

// awaitSlot waits for a slot once, before the run does anything. It records that the run
// waited, so that no timeout counts the wait, even after a resume.
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

// maxBatch is how many events one commit writes, and how many may wait for one.
const maxBatch = 256

// maxPending is how many bytes of answers may wait in memory for a commit.
const maxPending = 1 << 20

// receiveAll takes the messages that are there: parallel branches share a commit.
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
	m.event = l.bounded(m.event)
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

// bounded returns the end of an attempt as the run may record it: outputs, or the list of a
// for_each, beyond what a run may record become a failure before anything keeps them.
func (l *loop) bounded(e run.Event) run.Event {
	var refused *run.Failure
	switch {
	case e.Kind == run.EventAttemptFinished && e.Outcome.Status == run.Success:
		refused = l.state.Refuse(e)
	case e.Kind == run.EventStepExpanded:
		if l.listed += attempt.Size(e.Items); l.listed > run.MaxOutputs {
			refused = &run.Failure{
				Kind: action.Limit, Step: e.Step, File: l.plan.Workflow.File,
				Message: fmt.Sprintf("the lists of all for_each steps of the run have more than %s together, its limit", phrase.Bytes(run.MaxOutputs)),
				Hint:    "loop over a list of ids, and read the rest in each item",
			}
		}
	}
	if refused == nil {
		return e
	}
	outcome := &run.Outcome{Status: run.Failed, Final: true, Error: refused}
	if e.Outcome != nil {
		outcome.Used = e.Outcome.Used
	}
	e.Kind, e.Items, e.Outcome = run.EventAttemptFinished, nil, outcome
	return e
}

// keep counts the outputs that the run keeps until it ends as memory of the process.
func (l *loop) keep(e run.Event) {
	size := 0
	switch {
	case e.Kind == run.EventStepExpanded && l.local.Memory != nil:
		size = attempt.Size(e.Items)
	case e.Kind == run.EventAttemptFinished:
		size = e.Outcome.Size
	}
	l.kept += int64(size)
	l.local.Memory.keep(int64(size))
}

// take numbers an event, applies it and shows it to the observers. What it enables is
// done after the commit. The starts of attempts are recorded in the same commit.
func (l *loop) take(e run.Event) error {
	e.Sequence, e.Run = l.sequence+1, l.id
	if e.Time.IsZero() {
		e.Time = l.times.now()
	}
	e = l.redact(e)
	commands, err := l.state.Apply(e)
	if err != nil {
		return fmt.Errorf("the run cannot continue, which is a mistake in the engine: %w", err)
	}
	l.sequence++
	l.keep(e)
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

// redact masks secret texts in what an attempt reports. It runs before the event is
// applied, so that later steps see what they would see after a resume. Calls are masked
// where they are recorded (package attempt).
func (l *loop) redact(e run.Event) run.Event {
	e.Reason = l.redactor.Redact(e.Reason)
	switch {
	case e.Log != nil:
		record := *e.Log
		record.Message = l.redactor.Redact(record.Message)
		record.Fields, _ = l.redactor.RedactValue(record.Fields).(action.Object)
		e.Log = &record
	case e.Outcome != nil:
		e.Outcome.Outputs = l.redactor.RedactValue(e.Outcome.Outputs)
		if failure := e.Outcome.Error; failure != nil {
			failure.Message, failure.Hint = l.redactor.Redact(failure.Message), l.redactor.Redact(failure.Hint)
		}
	case e.Items != nil:
		e.Items, _ = l.redactor.RedactValue(e.Items).([]any)
	}
	return e
}

// shown returns an event as the journal and the observers get it. An input may hold the
// text of a secret, which only this process may use.
func (l *loop) shown(e run.Event) run.Event {
	if e.Started != nil {
		shown := *e.Started
		shown.Inputs, _ = l.redactor.RedactValue(shown.Inputs).(action.Object)
		e.Started = &shown
	}
	return e
}

// remember keeps the recorded calls of a task until the task needs no further attempt.
func (l *loop) remember(e run.Event) {
	if e.Kind.Record() {
		l.history.Add(e)
	} else if e.Kind == run.EventAttemptFinished && e.Outcome.Status != run.Failed {
		delete(l.history, run.TaskID{Step: e.Step, Item: e.Item})
	}
}

// enabled takes the event that answers a command, and keeps the command until the event is
// durable.
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

// commit writes the batch to the journal, unless it can wait for later events.
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

// write appends the batch to the journal. It ignores the context of the run: what was done
// is recorded even after a cancellation.
func (l *loop) write() error {
	batch := l.batch
	l.batch, l.pending = nil, 0 // the journal may keep the old slice
	if l.local.Journal == nil || len(batch) == 0 {
		l.hasStarted() // there is nothing to wait for
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
	l.hasStarted()
	return nil
}

// hasStarted reports once that the start or resume of the run is durable.
func (l *loop) hasStarted() {
	if l.started != nil {
		l.started()
		l.started = nil
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

// after has the loop call f once a duration has passed.
func (l *loop) after(d time.Duration, f func() error) (stop func() bool) {
	return l.clock.AfterFunc(d, func() {
		l.busy()
		select {
		case l.wake <- f:
		case <-l.ended:
			if l.virtual != nil {
				l.virtual.End(1)
			}
		}
	})
}

// busy counts one more piece of work on a virtual clock: the start of a run, an attempt, or
// a timer that fired. The loop ends it in pass, after the turn that has taken it.
func (l *loop) busy() {
	if l.virtual != nil {
		l.virtual.Begin()
	}
}

// pass ends the pieces of work that the turn has taken. By now, the work that the turn
// caused is counted.
func (l *loop) pass() {
	if l.virtual != nil && l.spent > 0 {
		l.virtual.End(l.spent)
	}
	l.spent = 0
}

// live counts the run as work on a virtual clock until leave is called.
func (l *loop) live() (leave func()) {
	l.busy()
	l.spent++
	return l.pass
}

// setDeadline sets the timer that ends the current part; the zero time sets none.
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
	l.stopDeadline = l.after(at.Sub(l.times.now()), func() error {
		if !l.deadline.Equal(at) {
			return nil // the part had ended when the timer fired
		}
		return l.take(run.Event{Kind: run.EventTimedOut})
	})
}

// cancelEvery is how often a run checks whether another process requests its cancellation.
// On a virtual clock, where a month may pass at once, it checks less often.
const (
	cancelEvery        = time.Second
	cancelEveryVirtual = time.Minute
)

// watchCancel checks for requests to cancel the run.
func (l *loop) watchCancel() (stop func()) {
	if l.local.Journal == nil {
		return func() {}
	}
	every := cancelEvery
	if l.virtual != nil {
		every = cancelEveryVirtual
	}
	stopTimer := func() bool { return false }
	var check func() error
	check = func() error {
		request, err := l.local.Journal.CancelRequested(context.Background(), l.id)
		if err == nil && request != nil {
			return l.take(run.Event{Kind: run.EventCancelled, Actor: request.Actor})
		}
		stopTimer = l.after(every, check)
		return nil // the next write reports a journal that cannot be read
	}
	stopTimer = l.after(every, check)
	return func() { stopTimer() }
}

// errUnrecorded ends the attempts of a run that can no longer be recorded.
var errUnrecorded error = &action.Error{Kind: action.Cancelled, Message: "the run can no longer be recorded"}

// abandon stops a run that cannot continue here. When it returns, none of its attempts
// runs any more.
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
