package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/spf13/cobra"
)

func actionsCommand(env *setup.Environment) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "actions [NAME]",
		Short: "Show the actions that steps can call",
		Long:  "List the actions that steps can call, or the actions of one module, or describe one action.",
		Example: `  pdflow actions
  pdflow actions pagerduty.send_trigger_event
  pdflow actions text -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return printActions(env, args, output) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return actionNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	setup.AddOutput(c, &output, "text", "json")
	return c
}

func printActions(env *setup.Environment, args []string, output string) error {
	target, err := setup.Offline()
	if err != nil {
		return err
	}
	selected, one, err := selectActions(target.Catalog, args)
	if err != nil {
		return err
	}
	if one {
		return env.Print(output, describe(selected[0]), selected[0].Markdown())
	}
	reports, width := make([]actionReport, len(selected)), 0
	for i, a := range selected {
		reports[i], width = describe(a), max(width, len(a.Name))
	}
	var b strings.Builder
	for _, a := range selected {
		fmt.Fprintf(&b, "%-*s  %s\n", width, a.Name, a.Summary)
	}
	return env.Print(output, reports, b.String())
}

// selectActions returns all actions, the actions of a module, or one action.
func selectActions(catalog *action.Catalog, args []string) (selected []*action.Action, one bool, err error) {
	if len(args) == 0 {
		return catalog.All(), false, nil
	}
	if a, ok := catalog.Lookup(args[0]); ok {
		return []*action.Action{a}, true, nil
	}
	for _, a := range catalog.All() {
		if a.Module() == args[0] {
			selected = append(selected, a)
		}
	}
	if selected == nil {
		return nil, false, console.Usage("there is no action %q (%s)", args[0], unknownActionHint(catalog, args[0]))
	}
	return selected, false, nil
}

// An actionReport is an action in the output of `actions -o json`.
type actionReport struct {
	Name      string        `json:"name"`
	Summary   string        `json:"summary"`
	Doc       string        `json:"doc,omitempty"`
	Effect    string        `json:"effect"`
	Guarded   bool          `json:"must_be_permitted"`
	Signature string        `json:"lua"`
	Input     []fieldReport `json:"input"`
	Output    []fieldReport `json:"output"`
}

type fieldReport struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Default     any      `json:"default,omitempty"`
	Required    bool     `json:"required"`
	Description string   `json:"description"`
	Enum        []string `json:"enum,omitempty"`
	Format      string   `json:"format,omitempty"`
}

func describe(a *action.Action) actionReport {
	return actionReport{
		Name: a.Name, Summary: a.Summary, Doc: a.Doc, Effect: a.Effect.String(), Guarded: a.Guarded,
		Signature: a.Signature(), Input: describeFields(a.In), Output: describeFields(a.Out),
	}
}

func describeFields(s *action.Schema) []fieldReport {
	fields := []fieldReport{}
	for _, f := range s.Fields {
		fields = append(fields, fieldReport{f.Name, f.Type.String(), f.Default, f.Required, f.Doc, f.Enum, f.Format})
	}
	return fields
}

func unknownActionHint(catalog *action.Catalog, name string) string {
	return cmp.Or(action.DidYouMean(name, catalog.Names()), "`pdflow actions` lists them")
}

func actionNames() []string {
	target, err := setup.Offline()
	if err != nil {
		return nil
	}
	return target.Catalog.Names()
}
