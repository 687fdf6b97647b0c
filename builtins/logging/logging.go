// Package logging declares the module log.
package logging

import (
	"context"
	"strconv"

	"github.com/pdflow/pdflow/builtins/jsonvalue"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// Actions returns the actions of the module log.
func Actions() []*action.Action {
	return []*action.Action{
		logAction("debug", "Log a detail for debugging the workflow."),
		logAction("info", "Log what the workflow does."),
		logAction("warn", "Log something that people should know."),
		logAction("error", "Log a failure; the step continues."),
	}
}

type logInput struct {
	Message any           `json:"message" required:"true" secrets:"true" doc:"The message; a list or an object is written as JSON"`
	Fields  action.Object `json:"fields" secrets:"true" doc:"Values that belong to the message, by name"`
}

type logOutput struct{}

// logAction declares the function of one level. A line is an event of the run and not a
// call, so a replay has nothing to return.
func logAction(level, summary string) *action.Action {
	return action.New(action.Spec{
		Name:    "log." + level,
		Summary: summary,
		Effect:  action.Pure,
		Args:    []string{"message", "fields"},
		Spread:  true,
	}, func(ctx context.Context, in logInput) (logOutput, error) {
		write := action.ScopeOf(ctx).Log
		if write == nil {
			return logOutput{}, nil
		}
		record := action.LogRecord{Level: level, Message: logText(maskSecrets(in.Message))}
		if len(in.Fields) > 0 {
			record.Fields = maskSecrets(in.Fields).(action.Object)
		}
		write(record)
		return logOutput{}, nil
	})
}

// maskSecrets replaces every secret with its name. Other actions refuse a secret; a log line
// masks it, since a run should not fail because of what it logs.
func maskSecrets(v any) any {
	switch v := v.(type) {
	case action.Secret:
		return v.String()
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = maskSecrets(item)
		}
		return out
	case action.Object:
		out := make(action.Object, len(v))
		for name, item := range v {
			out[name] = maskSecrets(item)
		}
		return out
	}
	return v
}

func logText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return phrase.Number(v)
	case bool:
		return strconv.FormatBool(v)
	}
	text, err := jsonvalue.Marshal(v)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return string(text)
}
