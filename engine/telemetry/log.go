package telemetry

import (
	"context"
	"log/slog"
	"time"

	"github.com/pdflow/pdflow/engine/run"
)

// Log writes what operators need to know. The level says how urgent a line is:
//
//   - Error: a person must act now. A run failed, timed out, waits for a decision or
//     cannot run.
//   - Warn: a person should look later. An attempt failed, a run was cancelled, or it
//     was skipped for another reason than a pause.
//   - Info: no person needs to act. A run started, resumed, is queued or succeeded, or
//     was skipped because its schedule is paused.
//
// Log does not repeat what scripts log, because that may contain inputs.
type Log struct {
	log *slog.Logger
	// look returns the command that shows a run.
	look func(run string) string
}

// NewLog returns a log that writes to log. look returns the command that shows a run.
func NewLog(log *slog.Logger, look func(run string) string) *Log { return &Log{log, look} }

// Run returns the observer of one run of a workflow.
func (l *Log) Run(workflow string) run.Observer { return &runLog{log: l, workflow: workflow} }

// runLog writes the lines of a run.
type runLog struct {
	log      *Log
	workflow string
	started  time.Time // zero: the run started in another process
}

// Observe writes a line for an event, if operators need to know of it.
func (r *runLog) Observe(e run.Event) {
	switch e.Kind {
	case run.EventStarted:
		r.started = e.Time
		r.write(e, slog.LevelInfo, "run started", startAttributes(e.Started)...)
	case run.EventQueued:
		r.write(e, slog.LevelInfo, "run queued", slog.String("reason", e.Reason))
	case run.EventResumed:
		r.write(e, slog.LevelInfo, "run resumed")
	case run.EventRetried:
		r.write(e, slog.LevelInfo, "run retried")
	case run.EventSkipped:
		r.write(e, skipLevel(e.Reason), "run skipped", slog.String("reason", SkipReason(e.Reason)), slog.String("why", e.Reason))
	case run.EventSuspended:
		r.write(e, slog.LevelError, "run needs attention", r.failure(e)...)
	case run.EventFinished:
		r.finished(e)
	case run.EventAttemptFinished:
		if f := e.Outcome.Error; f != nil {
			r.write(e, slog.LevelWarn, "step failed", slog.String("step", e.Step), slog.Int("item", e.Item), slog.Int("attempt", e.Attempt),
				slog.String("kind", string(f.Kind)), slog.String("error", f.Error()))
		}
	}
}

// startAttributes says why a run started. It leaves out the inputs.
func startAttributes(s *run.Start) []slog.Attr {
	if s == nil {
		return nil
	}
	attributes := []slog.Attr{slog.String("trigger", s.Trigger.Kind)}
	if at := s.Trigger.ScheduledAt; at != nil {
		attributes = append(attributes, slog.String("scheduled_at", at.UTC().Format(time.RFC3339)))
	}
	return attributes
}

func skipLevel(reason string) slog.Level {
	switch SkipReason(reason) {
	case Paused:
		return slog.LevelInfo
	case CannotRun:
		return slog.LevelError
	}
	return slog.LevelWarn
}

func (r *runLog) finished(e run.Event) {
	level, message := slog.LevelError, "run finished"
	switch e.Status {
	case run.Success:
		level = slog.LevelInfo
	case run.Cancelled:
		level = slog.LevelWarn
	case run.NeedsAttention:
		message = "run needs attention"
	}
	attributes := []slog.Attr{slog.String("status", string(e.Status))}
	if !r.started.IsZero() {
		attributes = append(attributes, slog.Duration("took", e.Time.Sub(r.started)))
	}
	r.write(e, level, message, append(attributes, r.failure(e)...)...)
}

// failure returns why a run failed, and the command that shows the run.
func (r *runLog) failure(e run.Event) []slog.Attr {
	f := e.Error
	if f == nil {
		return nil
	}
	attributes := []slog.Attr{slog.String("kind", string(f.Kind)), slog.String("error", f.Error())}
	if f.Step != "" {
		attributes = append(attributes, slog.String("step", f.Step))
	}
	return append(attributes, slog.String("look", r.log.look(e.Run)))
}

// write writes a line. Its first attributes are the workflow and the run.
func (r *runLog) write(e run.Event, level slog.Level, message string, attributes ...slog.Attr) {
	names := []slog.Attr{slog.String("workflow", r.workflow), slog.String("run", e.Run)}
	r.log.log.LogAttrs(context.Background(), level, message, append(names, attributes...)...)
}
