package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/workflow"
)

// A reachReport is what a workflow may reach. Its scripts cannot reach more.
type reachReport struct {
	File        string              `json:"file"`
	Workflow    string              `json:"workflow"`
	Connections []string            `json:"connections"`
	PagerDuty   []string            `json:"pagerduty"` // the functions that it is permitted
	Calls       []string            `json:"calls"`     // the actions that its steps and scripts name
	HTTP        []string            `json:"http"`
	Net         []string            `json:"net"`
	Secrets     map[string][]string `json:"secrets"` // where each may go
}

// printReach prints what each workflow may reach.
func printReach(env *setup.Environment, files []string, output string) error {
	if err := console.OneOf("output", output, "text", "json"); err != nil {
		return err
	}
	target, err := setup.Offline()
	if err != nil {
		return err
	}
	reports := []reachReport{}
	for _, file := range files {
		plan, err := target.CompileFile(file)
		if err != nil {
			return err
		}
		reports = append(reports, reachOf(target, plan))
	}
	if output == "json" {
		return console.WriteJSON(env.Stdout, reports)
	}
	var b strings.Builder
	for _, r := range reports {
		b.WriteString(r.text())
	}
	_, err = io.WriteString(env.Stdout, b.String())
	return err
}

func reachOf(s *setup.Target, plan *workflow.Plan) reachReport {
	w := plan.Workflow
	r := reachReport{
		File: w.File, Workflow: w.Name, Connections: []string{}, PagerDuty: []string{}, Calls: []string{},
		HTTP: patternTexts(w.Permissions.HTTP), Net: patternTexts(w.Permissions.Net), Secrets: map[string][]string{},
	}
	for _, name := range setup.ConnectionsOf(plan) {
		r.Connections = append(r.Connections, name.Text)
	}
	for _, a := range s.Catalog.All() {
		if a.Module() == "pagerduty" && w.Permissions.AllowsAction(a) {
			r.PagerDuty = append(r.PagerDuty, a.Function())
		}
	}
	for _, call := range plan.Calls() {
		if a, ok := s.Catalog.Lookup(call.Action); ok && a.Effect.Recorded() {
			r.Calls = append(r.Calls, call.Action)
		}
	}
	slices.Sort(r.Calls)
	r.Calls = slices.Compact(r.Calls)
	for _, secret := range w.Secrets {
		to := slices.Clone(secret.Hosts)
		if slices.Contains(secret.Places, "service_key") {
			to = append(to, "PagerDuty, as a service key")
		}
		r.Secrets[secret.Name] = to
	}
	return r
}

func patternTexts(patterns []permission.Pattern) []string {
	texts := []string{}
	for _, pattern := range patterns {
		texts = append(texts, pattern.Text)
	}
	return texts
}

func (r reachReport) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", console.Printable(r.File))
	line := func(name string, values []string) {
		text := strings.Join(values, ", ")
		if text == "" {
			text = "nothing"
		}
		fmt.Fprintf(&b, "  %-11s  %s\n", name, console.Printable(text))
	}
	line("calls", r.Calls)
	line("pagerduty", r.PagerDuty)
	line("http", r.HTTP)
	line("net", r.Net)
	line("connections", r.Connections)
	for _, name := range slices.Sorted(maps.Keys(r.Secrets)) {
		line("secret", []string{name + " to " + strings.Join(r.Secrets[name], ", ")})
	}
	return b.String()
}
