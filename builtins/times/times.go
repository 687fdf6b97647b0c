// Package times declares the module time.
//
// times.go declares the functions; layout.go writes and reads times in a layout of
// strftime's directives.
package times

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
	_ "time/tzdata" // a machine may have no time zones installed

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// The first and the last time that RFC 3339 can write, in seconds since 1970: the years 0
// to 9999.
const (
	firstSecond = -62167219200
	lastSecond  = 253402300799
)

// Actions returns the actions of the module time.
func Actions() []*action.Action {
	return []*action.Action{
		action.New(action.Spec{
			Name:    "time.now",
			Summary: "Return the time.",
			Doc: "The result is recorded: a step that is run again after a failure gets the same time, so that values " +
				"computed from it stay the same. With `fresh = true` each attempt gets a new time.",
			Effect:  action.Reads,
			Instant: true,
			Spread:  true,
		}, now, action.Rules[nowInput]{
			// What is computed from the time, such as the key of an event, then stays the
			// same in a retry.
			Memoized: func(in *nowInput) bool { return !in.Fresh },
		}),
		action.New(action.Spec{
			Name:    "time.parse",
			Summary: "Read a time from text.",
			Doc:     "Without a layout the text must be RFC 3339. " + layoutDoc,
			Effect:  action.Pure,
			Args:    []string{"text", "layout", "timezone"},
			Spread:  true,
		}, parse),
		action.New(action.Spec{
			Name:    "time.format",
			Summary: "Write a time as text.",
			Doc:     "Without a layout it is written as RFC 3339. " + layoutDoc,
			Effect:  action.Pure,
			Args:    []string{"time", "layout", "timezone"},
			Spread:  true,
		}, format),
		action.New(action.Spec{
			Name:    "time.add",
			Summary: "Add a duration to a time; a negative duration gives an earlier time.",
			Doc:     `"1d" is 24 hours in every time zone.`,
			Effect:  action.Pure,
			Args:    []string{"time", "duration"},
			Spread:  true,
		}, add),
		action.New(action.Spec{
			Name:    "time.sleep",
			Summary: "Wait.",
			Doc:     "The time counts against the timeouts of the step and of the run. A resumed run waits only for the time that is left.",
			Effect:  action.Reads,
			Waits:   true,
			Args:    []string{"duration"},
			Spread:  true,
		}, sleep),
	}
}

// secondsOutput is a time as a number, for scripts that compute with it.
type secondsOutput struct {
	Seconds float64 `json:"seconds" doc:"Seconds since 1970 in UTC, to the millisecond"`
}

func secondsOf(t time.Time) secondsOutput {
	return secondsOutput{Seconds: float64(t.UnixMilli()) / 1000}
}

type nowInput struct {
	Fresh bool `json:"fresh" doc:"Whether a retry gets a new time instead of the recorded one"`
}

func now(ctx context.Context, _ nowInput) (secondsOutput, error) {
	clock, err := action.ClockOf(ctx)
	if err != nil {
		return secondsOutput{}, err
	}
	return secondsOf(clock.Now()), nil
}

type parseInput struct {
	Text     string `json:"text" required:"true" doc:"The text"`
	Layout   string `json:"layout" max:"1024" doc:"The layout of the text; RFC 3339 when absent"`
	Timezone string `json:"timezone" default:"UTC" doc:"The time zone of a text without a time zone, such as Europe/Berlin"`
}

func parse(_ context.Context, in parseInput) (secondsOutput, error) {
	zone, err := zoneOf(in.Timezone)
	if err != nil {
		return secondsOutput{}, err
	}
	if in.Layout == "" {
		t, err := parseRFC3339(in.Text)
		return secondsOf(t), err
	}
	l, err := newLayout(in.Layout)
	if err != nil {
		return secondsOutput{}, err
	}
	t, err := l.parse(in.Text, zone)
	if err != nil {
		return secondsOutput{}, action.Errorf(action.InvalidInput, "%q cannot be read with the layout %q: %w",
			phrase.Clip(in.Text, 60), phrase.Clip(in.Layout, 60), err)
	}
	return secondsOf(t), checkRange(t)
}

type formatInput struct {
	Time     any    `json:"time" required:"true" doc:"Seconds since 1970, or text in RFC 3339"`
	Layout   string `json:"layout" max:"1024" doc:"The layout of the text; RFC 3339 when absent"`
	Timezone string `json:"timezone" default:"UTC" doc:"The time zone of the text, such as Europe/Berlin"`
}

type formatOutput struct {
	Text string `json:"text" doc:"The text"`
}

func format(_ context.Context, in formatInput) (formatOutput, error) {
	t, err := timeOf(in.Time)
	if err != nil {
		return formatOutput{}, err
	}
	zone, err := zoneOf(in.Timezone)
	if err != nil {
		return formatOutput{}, err
	}
	if in.Layout == "" {
		return formatOutput{Text: t.In(zone).Format(time.RFC3339Nano)}, nil
	}
	l, err := newLayout(in.Layout)
	if err != nil {
		return formatOutput{}, err
	}
	return formatOutput{Text: l.format(t.In(zone))}, nil
}

type addInput struct {
	Time     any `json:"time" required:"true" doc:"Seconds since 1970, or text in RFC 3339"`
	Duration any `json:"duration" required:"true" doc:"Text such as \"90m\" or \"-1d\", or a number of seconds"`
}

func add(_ context.Context, in addInput) (secondsOutput, error) {
	t, err := timeOf(in.Time)
	if err != nil {
		return secondsOutput{}, err
	}
	d, err := signedDuration(in.Duration)
	if err != nil {
		return secondsOutput{}, action.Errorf(action.InvalidInput, "%w", err)
	}
	t = t.Add(d)
	return secondsOf(t), checkRange(t)
}

type sleepInput struct {
	Duration time.Duration `json:"duration" required:"true" doc:"How long: text such as \"30s\", or a number of seconds"`
}

type sleepOutput struct{}

func sleep(ctx context.Context, in sleepInput) (sleepOutput, error) {
	clock, err := action.ClockOf(ctx)
	if err != nil {
		return sleepOutput{}, err
	}
	if since := action.ScopeOf(ctx).Since; !since.IsZero() {
		// A resumed run has waited before. If the clock was set back since, it is not known for
		// how long, and the whole wait is the longest that it may take.
		in.Duration -= max(clock.Now().Sub(since), 0)
	}
	if in.Duration <= 0 {
		return sleepOutput{}, nil
	}
	return sleepOutput{}, clock.Sleep(ctx, in.Duration)
}

// timeOf reads a time argument.
func timeOf(v any) (time.Time, error) {
	switch v := v.(type) {
	case float64:
		// The negation also refuses NaN.
		if !(v >= firstSecond && v <= lastSecond) {
			return time.Time{}, action.Errorf(action.InvalidInput, "%s seconds since 1970 is not in the years 0 to 9999",
				phrase.Number(v))
		}
		return time.UnixMilli(int64(math.Round(v * 1000))).UTC(), nil
	case string:
		return parseRFC3339(v)
	}
	return time.Time{}, &action.Error{
		Kind: action.InvalidInput, Message: `"time" must be a number of seconds since 1970 or text in RFC 3339`,
		Hint: "read other text with time.parse first",
	}
}

func parseRFC3339(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, &action.Error{
			Kind: action.InvalidInput, Message: fmt.Sprintf("%q is not a time such as 2026-01-31T09:00:00Z", phrase.Clip(text, 40)),
			Hint: "give time.parse a layout for text in another form",
		}
	}
	return t, checkRange(t)
}

func checkRange(t time.Time) error {
	if s := t.Unix(); s < firstSecond || s > lastSecond {
		return action.Errorf(action.InvalidInput, "the time is not in the years 0 to 9999")
	}
	return nil
}

// signedDuration reads a duration that may be negative.
func signedDuration(v any) (time.Duration, error) {
	sign := time.Duration(1)
	switch x := v.(type) {
	case float64:
		if x < 0 {
			sign, v = -1, -x
		}
	case string:
		if rest, negative := strings.CutPrefix(x, "-"); negative {
			sign, v = -1, rest
		}
	}
	d, err := action.DurationOf(v)
	return sign * d, err
}

// zoneOf returns a time zone by its IANA name. It refuses "Local", which differs between
// machines.
func zoneOf(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, &action.Error{
			Kind: action.InvalidInput, Message: fmt.Sprintf("there is no time zone %q", phrase.Clip(name, 40)),
			Hint: "give an IANA name such as Europe/Berlin, America/New_York or UTC",
		}
	}
	return zone, nil
}
