package setup

import (
	"encoding/json"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/fault"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// LeftOut returns why a file is left out: it was found in a folder, and the error of its
// compilation says that it is no workflow. It is empty if the file is not left out.
func LeftOut(file source.File, err error) (why string) {
	if file.Folder == "" {
		return "" // it was named itself, and must be a workflow
	}
	return workflow.Foreign(err)
}

// recognised returns an error that says what a file is, if it is a document of pdflow that is no
// workflow. Some keys of these documents resemble keys of workflows. Otherwise it returns the
// error of the compilation.
func recognised(file string, text []byte, err error) error {
	if workflow.Foreign(err) != "" {
		return err
	}
	data, unread := source.ReadData(file, text)
	if unread != nil {
		return err
	}
	if keys, ok := data.Value.(action.Object); !ok || len(keys) == 0 {
		return err
	}
	document, unread := json.Marshal(data.Value)
	if unread != nil {
		return err
	}
	if _, problem := ParseConfiguration(file, text); problem == nil {
		return workflow.NotWorkflow(file, "it is a configuration of pdflow")
	}
	if _, problem := account.ParseState(document); problem == nil {
		return workflow.NotWorkflow(file, "it is the starting state of a simulated account")
	}
	if _, problem := fault.Parse(document); problem == nil {
		return workflow.NotWorkflow(file, "it is a plan of faults of a simulated account")
	}
	return err
}
