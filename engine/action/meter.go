package action

import "context"

// A Meter counts what a call does for whoever makes it and has limits of its own: a
// script, whose instructions and memory a pure function uses up as if the script had
// done the work itself.
type Meter interface {
	// Work counts steps that are about to be done, each about as long as an
	// instruction of a script. Its error ends the call.
	Work(steps int64) error
	// Hold counts bytes of values that are about to be made. Its error ends the call.
	Hold(bytes int64) error
}

type meterKey struct{}

// WithMeter returns a context that carries the meter to an action.
func WithMeter(ctx context.Context, meter Meter) context.Context {
	return context.WithValue(ctx, meterKey{}, meter)
}

// Work is called by an action that computes, before each piece of work: it counts the
// steps where somebody counts them, and returns an error when they may not be done or
// the call has ended. An action that takes longer than a few milliseconds and does not
// ask cannot be stopped by any timeout.
func Work(ctx context.Context, steps int64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if meter, ok := ctx.Value(meterKey{}).(Meter); ok {
		return meter.Work(steps)
	}
	return nil
}

// Hold is [Work] for the bytes of values that an action is about to make, beside the
// text of its output: that is counted when it is handed over.
func Hold(ctx context.Context, bytes int64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if meter, ok := ctx.Value(meterKey{}).(Meter); ok {
		return meter.Hold(bytes)
	}
	return nil
}
