package action

import "context"

// A Meter counts the work of a call against the limits of its caller. The caller is a
// script, whose instructions and memory a pure function uses as if the script had done
// the work.
type Meter interface {
	// Work counts steps that are about to be done; a step takes about as long as an
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

// Work counts steps before an action does them, and returns an error when the call has
// ended or its limit is reached. An action that computes for more than a few
// milliseconds must call it again and again: no timeout stops it otherwise.
func Work(ctx context.Context, steps int64) error {
	return counted(ctx, Meter.Work, steps)
}

// Hold is [Work] for the bytes of values that an action is about to make. The text of
// the output is counted elsewhere, when the script gets it.
func Hold(ctx context.Context, bytes int64) error {
	return counted(ctx, Meter.Hold, bytes)
}

func counted(ctx context.Context, count func(Meter, int64) error, n int64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if meter, ok := ctx.Value(meterKey{}).(Meter); ok {
		return count(meter, n)
	}
	return nil
}
