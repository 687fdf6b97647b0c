// The journal in testdata/c8849ea was written by pdflow at commit c8849ea, whose processes
// were killed. They left four unfinished runs:
//
//   - nightly was started by a schedule. It was interrupted during an http.put.
//   - onboard was interrupted while each of its three branches made a call: a trigger
//     event, the creation of a user, and an http.post that may be sent only once.
//   - rollout is queued behind a run of its concurrency group, which has ended since.
//   - escalate is suspended: two of its calls wait for a decision.
//
// What must hold:
//
//   - Opening the journal adds columns and a table to its layout and changes no run. At
//     the end of every test there is no damage.
//   - Every run can be finished as a success, and can be cancelled instead.
//   - A call that has a result is not sent again. A call without one is sent at most
//     once more, with the key that was recorded.
//   - The outputs contain what only the killed process knew, such as its random ids.
//   - The recorded events stay as they are.
//   - A resumption that is refused sends nothing and records nothing.
//   - The scheduled time of nightly is not started a second time.
//
// The README.md of the folder says how the journal was made.

package sqlite_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/run"
)

// The unfinished runs.
const (
	nightly  = "01M8Q96QZ0TF2Y4YK42M6R5XP9"
	onboard  = "01M8Q96R27DXBWY69ARW5MPAFX"
	rollout  = "01M8Q96R6GAGRT8WYMQNAT8B6F"
	escalate = "01M8Q96R87EQAKXXVZN3WN276T"
)

// rolloutBefore is the run that rollout waited for. It has ended.
const rolloutBefore = "01M8Q96R59KTB0QKX9H130713G"

// The calls of escalate that wait for a decision, by their call.started events.
const (
	quietCall = 7 // the acknowledge event of the step quiet
	pageCall  = 9 // the second trigger event of the step page
)

// scheduledAt is the scheduled time of nightly. resumedAt is a minute after the last
// event of the journal.
var (
	scheduledAt = time.Date(2026, time.November, 30, 22, 29, 0, 0, time.UTC)
	resumedAt   = time.Date(2026, time.November, 30, 22, 30, 2, 0, time.UTC)
)

// token is the text of the secret input of onboard.
var token = action.Object{"token": "legacy-ticket-token-not-real"}

// An oldRun is an unfinished run of the journal.
type oldRun struct {
	name    string
	finish  engine.Resumption // finishes the run as a success
	sent    []string          // all requests that the resumed run sends, in any order
	outputs action.Object
}

var oldRuns = map[string]oldRun{
	nightly: {
		// The http.put may be repeated. Its body has the same random id.
		name: "nightly",
		sent: []string{
			`PUT metrics.example.test/notes {"at":"2026-11-30T22:29:00Z","id":"6355af51-5c97-4e57-a921-e5b62903c997","key":"backlog-database","run":"` + nightly + `"}`,
			alertEvent("default", "resolve", "backlog-database", ""),
		},
		outputs: action.Object{
			"at": "2026-11-30T22:29:00Z", "kind": "schedule", "backlog": "GET /backlog number 1",
			"noted": "PUT /notes after the resumption", "key": "backlog-database",
		},
	},
	onboard: {
		// The trigger event is sent again with its recorded key. The creation of the user
		// dee took effect: the user is looked up and found. The http.post to the chat may be
		// sent only once: it fails with unknown_outcome, which the script handles.
		name:   "onboard",
		finish: engine.Resumption{Inputs: token},
		sent: []string{
			alertEvent("default", "trigger", "491ae235d9205bd8b394ddb61482da45", "new people: cid, dee, eve"),
			`GET api.pagerduty.test/users?limit=100&offset=0&query=dee%40example.com`,
			`GET api.pagerduty.test/users?limit=100&offset=0&query=eve%40example.com`,
			`POST api.pagerduty.test/users {"user":{"type":"user","name":"New eve","email":"eve@example.com"}}`,
			alertEvent("default", "resolve", "491ae235d9205bd8b394ddb61482da45", ""),
			`PUT tickets.example.test/report key=report-` + onboard + ` {"status":"success"}`,
		},
		outputs: action.Object{
			"at": 1796077740.126, "id": "9942d5ca-39e6-413c-8ae3-75f6c0f5cde8", "key": "491ae235d9205bd8b394ddb61482da45",
			"answer": "POST /tickets number 1", "chat": action.Object{"ok": false, "kind": "unknown_outcome"},
			"accounts": []any{
				action.Object{"id": "PCID", "number": 1.0}, action.Object{"id": "PDEE", "number": 2.0}, action.Object{"id": "PEVE", "number": 3.0},
			},
		},
	},
	rollout: {
		// `previous` is looked up when the run starts: it is the run that this one waited for.
		name: "rollout",
		sent: []string{
			alertEvent("default", "trigger", "rollout-shop", "rollout of v2"),
			`PUT deploy.example.test/shop key=shop-v2 {"replaces":"v1","version":"v2"}`,
			alertEvent("default", "resolve", "rollout-shop", ""),
		},
		outputs: action.Object{"number": 2.0, "version": "v2", "replaces": "v1", "answer": "PUT /shop after the resumption"},
	},
	escalate: {
		// A call that was done is not sent. A call that is repeated keeps its key.
		name:   "escalate",
		finish: engine.Resumption{Decisions: []run.Decision{decide(quietCall, run.CallDone), decide(pageCall, run.CallRepeat)}},
		sent: []string{
			alertEvent("network", "trigger", "defc8954c2cd857f554c9b9561cacf68", "shop: second responder"),
			alertEvent("network", "resolve", "defc8954c2cd857f554c9b9561cacf68", ""),
		},
		outputs: action.Object{
			"first": "54197d6b74ca9b030039d942e82bf0b7", "second": "defc8954c2cd857f554c9b9561cacf68", "quiet": "old-shop",
			"status": "GET /shop number 2", "closed": "defc8954c2cd857f554c9b9561cacf68",
		},
	},
}

// TestOpenJournalOfC8849ea: opening the journal adds two columns to the layout,
// changes no run and damages nothing.
func TestOpenJournalOfC8849ea(t *testing.T) {
	j := openOld(t)
	equal(t, "layout before", layoutOf(oldFixture), 2)
	equal(t, "runs", j.list(), []string{
		escalate + ` escalate manual needs_attention, 15 events, group ""`,
		rollout + ` rollout manual interrupted, 1 events, group "rollout/shop"`,
		rolloutBefore + ` rollout manual success, 18 events, group "rollout/shop"`,
		onboard + ` onboard manual interrupted, 30 events, group ""`,
		nightly + ` nightly schedule interrupted, 9 events, group "nightly"`,
	})
	equal(t, "schedules", must(j.Schedules(t.Context())), []journal.ScheduleState{{Workflow: "nightly", Schedule: "minute", Watermark: scheduledAt}})
}

// TestFinishRunsOfC8849ea finishes every run as a success. Afterwards there is nothing
// left to resume.
func TestFinishRunsOfC8849ea(t *testing.T) {
	for id, old := range oldRuns {
		t.Run(old.name, func(t *testing.T) {
			j := openOld(t)
			j.finish(t, id)
			if _, err := j.resume(t.Context(), t, id, old.finish); !engine.IsInputError(err) {
				t.Errorf("resuming the ended run: got %v, want an InputError", err)
			}
			equal(t, "requests after that", j.world.sent(), sorted(old.sent))
		})
	}
}

// TestOtherEndsOfRunsOfC8849ea: the runs can be cancelled. Calls can be decided one at a
// time, and as failed, after which the run can be retried. The requests of a stage
// include the requests of the stages before it.
func TestOtherEndsOfRunsOfC8849ea(t *testing.T) {
	type stage struct {
		resumption engine.Resumption
		status     run.Status // of the run after the resumption
		sent       []string
	}
	const alarm = `PUT status.example.test/alarm`
	paged := oldRuns[escalate].sent
	for name, test := range map[string]struct {
		run    string
		stages []stage
	}{
		"cancel an interrupted run whose write has no result": {nightly, []stage{
			{engine.Resumption{Cancel: true}, run.NeedsAttention, nil},
		}},
		"cancel a run that has finally": {onboard, []stage{
			{engine.Resumption{Cancel: true, Inputs: token}, run.NeedsAttention, []string{`PUT tickets.example.test/report key=report-` + onboard + ` {"status":"skipped"}`}},
		}},
		"cancel a queued run": {rollout, []stage{
			{engine.Resumption{Cancel: true}, run.Cancelled, nil},
		}},
		"cancel a suspended run": {escalate, []stage{
			{engine.Resumption{Cancel: true}, run.NeedsAttention, nil},
		}},
		"decide one call, then the other": {escalate, []stage{
			{engine.Resumption{Decisions: []run.Decision{decide(quietCall, run.CallDone)}}, run.Suspended, nil},
			{engine.Resumption{Decisions: []run.Decision{decide(pageCall, run.CallRepeat)}}, run.Success, paged},
		}},
		"let a call fail, then retry": {escalate, []stage{
			{engine.Resumption{Decisions: []run.Decision{decide(quietCall, run.CallDone), decide(pageCall, run.CallFailed)}}, run.NeedsAttention, []string{alarm}},
			{engine.Resumption{Retry: true}, run.Success, append(slices.Clone(paged), alarm)},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			j := openOld(t)
			before := j.events(test.run)
			for _, stage := range test.stages {
				result, err := j.resume(t.Context(), t, test.run, stage.resumption)
				if err != nil {
					t.Fatal(err)
				}
				status := result.Status
				if result.Suspended {
					status = run.Suspended
				}
				equal(t, "status", status, stage.status)
				equal(t, "requests", j.world.sent(), sorted(stage.sent))
			}
			j.keeps(t, test.run, before)
		})
	}
}

// TestRefuseToResumeRunsOfC8849ea: a resumption that is refused sends nothing and records
// nothing. The run keeps its status and can be finished afterwards.
func TestRefuseToResumeRunsOfC8849ea(t *testing.T) {
	decided := oldRuns[escalate].finish.Decisions
	elsewhere := connections["network"].target
	elsewhere.EventsURL = "https://events.pagerduty.test"
	for name, test := range map[string]struct {
		run     string
		refused engine.Resumption
		want    string
	}{
		"the secret input is missing":          {onboard, engine.Resumption{}, `secret input "token"`},
		"no call is decided":                   {escalate, engine.Resumption{}, `call 9 of step "page"`},
		"a call with a known result is chosen": {escalate, engine.Resumption{Decisions: []run.Decision{decide(6, run.CallDone)}}, "event 6"},
		"another key is set":                   {escalate, engine.Resumption{Decisions: decided, Keys: map[string]string{"api_key": "another"}}, "other keys"},
		"another URL is set":                   {escalate, engine.Resumption{Decisions: decided, Target: elsewhere}, "cannot continue with network"},
	} {
		t.Run(name, func(t *testing.T) {
			j := openOld(t)
			list, before := j.list(), j.events(test.run)
			_, err := j.resume(t.Context(), t, test.run, test.refused)
			if !engine.IsInputError(err) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an InputError with %q", err, test.want)
			}
			equal(t, "requests", j.world.sent(), nil)
			equal(t, "events", j.events(test.run), before)
			equal(t, "runs", j.list(), list)
			j.finish(t, test.run)
		})
	}
}

// TestScheduleOfC8849ea: the scheduled time of nightly is not started again. The next
// scheduled time starts. While its run is running, nightly waits for the concurrency
// group of both runs and still counts as interrupted.
func TestScheduleOfC8849ea(t *testing.T) {
	j := openOld(t)
	plan, account := j.plan(nightly)
	start := func(at time.Time) (*run.Result, error) {
		occurrence := &run.Occurrence{Workflow: "nightly", Schedule: "minute", At: at}
		return j.local().Run(t.Context(), plan, engine.Request{
			Occurrence: occurrence, Target: account.target, Keys: account.keys, Inputs: action.Object{"team": "database"},
		})
	}
	if _, err := start(scheduledAt); !errors.Is(err, journal.ErrExists) {
		t.Errorf("starting the scheduled time of nightly: got %v, want ErrExists", err)
	}
	equal(t, "requests", j.world.sent(), nil)

	var waiting run.Status
	var refused error
	j.world.first = func() {
		ctx, cancel := context.WithCancel(t.Context())
		j.busy = func() {
			waiting = j.status(nightly)
			cancel() // so that it does not wait any longer
		}
		_, refused = j.resume(ctx, t, nightly, engine.Resumption{})
	}
	result, err := start(scheduledAt.Add(time.Minute))
	if err != nil || result.Status != run.Success {
		t.Fatalf("starting the next scheduled time: got %+v, %v, want a success", result, err)
	}
	var waited *engine.WaitedError
	if !errors.As(refused, &waited) || !strings.Contains(refused.Error(), `group "nightly" is busy with `+result.Run) {
		t.Errorf("resuming nightly meanwhile: got %v, want an error that says the group is busy", refused)
	}
	equal(t, "status of nightly meanwhile", waiting, run.Interrupted)
	j.world.requests = nil
	j.finish(t, nightly)
}
