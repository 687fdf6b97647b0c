package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/setup"
	"github.com/pdflow/pdflow/engine/permission"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func checkCommand(env *setup.Environment) *cobra.Command {
	var output string
	var reach, verbose bool
	c := &cobra.Command{
		Use:   "check FILE|DIR...",
		Short: "Report every problem of workflows before they run",
		Long: `Report every problem of workflow files: keys, types, actions and their inputs,
expressions, Lua, and names. Nothing is called.

In folders every .yaml and .yml file is checked, except *.world.yaml and files that have
none of the keys of a workflow; -v names those. The exit code is 3 when there are
errors; warnings alone are 0.

With --reach it prints instead what each file may reach: the actions that it calls, the
actions of PagerDuty, hosts and ports that it is permitted, and where its secrets may
go. Its scripts cannot reach more.`,
		Example: `  pdflow check workflows
  pdflow check onboard.yaml -o json
  pdflow check onboard.yaml --reach
  pdflow check . -o github   # annotations in a pull request`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return checkWorkflows(env, args, output, reach, verbose) },
	}
	c.Flags().BoolVar(&reach, "reach", false, "print what each file may reach")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "name the files in folders that are left out, because they are no workflows")
	setup.AddOutput(c, &output, "text", "json", "github", "sarif")
	return c
}

func checkWorkflows(env *setup.Environment, args []string, output string, reach, verbose bool) error {
	files, err := setup.WorkflowFiles(args)
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	if reach {
		return printReach(env, files, output)
	}
	target, err := env.Offline()
	if err != nil {
		return err
	}
	configuration, err := env.Configuration()
	if err != nil {
		return err
	}
	if err := target.Under(configuration, env.Getenv); err != nil {
		return err
	}
	found, leftOut, err := checkFiles(env, args, files, target)
	if err != nil {
		return err
	}
	if len(leftOut) == len(files) {
		return console.Usage("there is no workflow in %s: a workflow has `steps:`", strings.Join(args, ", "))
	}
	if err := printDiagnostics(env, found, len(files)-len(leftOut), output); err != nil {
		return err
	}
	if len(leftOut) > 0 && !verbose {
		fmt.Fprintf(env.Stderr, "%s left out, without any key of a workflow (-v names them)\n", console.Plural(len(leftOut), "file"))
	}
	if verbose {
		for _, line := range leftOut {
			fmt.Fprintf(env.Stderr, "left out: %s\n", line)
		}
	}
	if found.HasErrors() {
		return console.Exit(console.ExitInvalid, nil)
	}
	return nil
}

// checkFiles returns the problems of the files of paths in the order of the files, and why files in
// folders are left out. One goroutine for each processor checks files.
func checkFiles(env *setup.Environment, paths []string, files []source.File, target *setup.Target) (found source.Problems, leftOut []string, _ error) {
	problems, failures := make([]source.Problems, len(files)), make([]error, len(files))
	plans := make([]*workflow.Plan, len(files))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(files); i = int(next.Add(1)) - 1 {
				plans[i], problems[i], failures[i] = env.CheckFile(target, files[i])
			}
		})
	}
	workers.Wait()
	names := sharedNames{paths: paths, first: map[sharedName]string{}}
	found = source.Problems{}
	for i := range files {
		if why := setup.LeftOut(files[i], problems[i]); why != "" {
			leftOut = append(leftOut, files[i].Path+": "+why)
			continue
		}
		if problem, shared := names.problem(files[i].Path, workflowOf(files[i], plans[i])); shared {
			problems[i] = append(slices.Clone(problems[i]), problem).Sorted()
		}
		found = append(found, problems[i]...)
	}
	return found, leftOut, errors.Join(failures...)
}

// sharedNames finds workflows that have the name of another one. The name of a workflow is its identity:
// in the journal, for its concurrency group, for previous, and in a daemon, which serves one file of each
// name. Files belong together when they are below one folder of the command line, or are in the same folder.
type sharedNames struct {
	paths []string              // of the command line
	first map[sharedName]string // the first file of each name
}

type sharedName struct{ folder, name string }

// workflowOf returns the workflow of a file, as far as it can be read if the file has errors.
func workflowOf(file source.File, plan *workflow.Plan) *workflow.Workflow {
	if plan != nil {
		return plan.Workflow
	}
	text, err := file.Read(source.MaxFileSize)
	if err != nil {
		return nil
	}
	w, _ := workflow.Parse(file.Path, text)
	return w
}

// problem returns the problem of a file that has the name of a file before it. A file that cannot be
// read as a workflow has no name.
func (n *sharedNames) problem(file string, w *workflow.Workflow) (p source.Problem, shared bool) {
	if w == nil || w.Name == "" || len(w.Steps) == 0 && w.NamePosition.Line == 0 {
		return p, false
	}
	key := sharedName{n.folder(file), w.Name}
	first, known := n.first[key]
	if !known {
		n.first[key] = file
	}
	if !known || filepath.Clean(first) == filepath.Clean(file) {
		return p, false
	}
	at := w.NamePosition
	hint := "give one of them another `name:`; a daemon serves only one of them"
	if at.Line == 0 {
		hint = "without `name:` a workflow has the name of its file; rename one of them, or give it a `name:`"
	}
	return source.Problem{
		File: file, Line: max(at.Line, 1), Column: max(at.Column, 1), Rule: "duplicate-name", Severity: source.SeverityError,
		Message: fmt.Sprintf("the workflow %q has the same name as the workflow in %s", w.Name, first), Hint: hint,
	}, true
}

// folder returns the folder that a file is checked with.
func (n *sharedNames) folder(file string) string {
	for _, path := range n.paths {
		if inside, err := filepath.Rel(path, file); err == nil && inside != "." && filepath.IsLocal(inside) {
			return filepath.Clean(path)
		}
	}
	return filepath.Clean(filepath.Dir(file))
}

func printDiagnostics(env *setup.Environment, found source.Problems, files int, output string) error {
	switch output {
	case "json":
		return console.WriteJSON(env.Stdout, found)
	case "sarif":
		return console.WriteJSON(env.Stdout, sarif(found))
	}
	var b strings.Builder
	for _, d := range found {
		if output == "github" {
			b.WriteString(githubAnnotation(d) + "\n")
		} else {
			b.WriteString(d.String() + "\n")
		}
	}
	if _, err := io.WriteString(env.Stdout, b.String()); err != nil {
		return err
	}
	_, err := io.WriteString(env.Stderr, summary(found, files)+"\n")
	return err
}

func summary(found source.Problems, files int) string {
	problems := 0
	for _, d := range found {
		if d.Severity == source.SeverityError {
			problems++
		}
	}
	checked := console.Plural(files, "file") + " checked"
	if len(found) == 0 {
		return checked + ", no problems"
	}
	return fmt.Sprintf("%s: %s, %s", checked, console.Plural(problems, "error"), console.Plural(len(found)-problems, "warning"))
}

// githubAnnotation returns a problem as a workflow command of GitHub Actions. It escapes as the
// documentation "Workflow commands for GitHub Actions" says.
func githubAnnotation(d source.Problem) string {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	return fmt.Sprintf("::%s file=%s,line=%d,col=%d,title=%s::%s", d.Severity, property.Replace(d.File), d.Line, d.Column, property.Replace(d.Rule), data.Replace(d.Text()))
}

// sarif returns the problems as SARIF 2.1.0, the format of code scanning services.
func sarif(found source.Problems) any {
	results := []any{}
	for _, d := range found {
		results = append(results, map[string]any{
			"ruleId": d.Rule, "level": string(d.Severity), "message": map[string]any{"text": d.Text()},
			"locations": []any{map[string]any{"physicalLocation": map[string]any{
				"artifactLocation": map[string]any{"uri": filepath.ToSlash(d.File)},
				"region":           map[string]any{"startLine": d.Line, "startColumn": d.Column},
			}}},
		})
	}
	return map[string]any{
		"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"runs": []any{map[string]any{
			"tool":    map[string]any{"driver": map[string]any{"name": "pdflow", "version": setup.VersionText()}},
			"results": results,
		}},
	}
}

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
func printReach(env *setup.Environment, files []source.File, output string) error {
	if err := console.OneOf("output", output, "text", "json"); err != nil {
		return err
	}
	target, err := env.Offline()
	if err != nil {
		return err
	}
	reports := []reachReport{}
	var broken source.Problems
	for _, file := range files {
		plan, problems, err := env.CheckFile(target, file)
		if setup.LeftOut(file, problems) != "" {
			continue
		}
		if err != nil {
			return err
		}
		if plan == nil {
			broken = append(broken, problems...)
			continue
		}
		reports = append(reports, reachOf(target, plan))
	}
	var b strings.Builder
	for _, r := range reports {
		b.WriteString(r.text())
	}
	if err := env.Print(output, reports, b.String()); err != nil || len(broken) == 0 {
		return err
	}
	return broken // after what can be said of the other files
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
