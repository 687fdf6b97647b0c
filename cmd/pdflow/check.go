package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/cobra"
)

func (p *program) checkCommand() *cobra.Command {
	var output string
	var reach bool
	c := &cobra.Command{
		Use:   "check FILE|DIR...",
		Short: "Report every problem of workflows, before anything runs",
		Long: `Report every problem of workflow files: keys, types, actions and their inputs,
expressions, Lua, and the names that they read. Nothing is called.

In folders every .yaml and .yml file is checked, except *.world.yaml. The exit
code is 3 when there are errors; warnings alone are 0.

With --reach it prints what each file may reach instead: the actions it calls, the
actions of PagerDuty, hosts and ports that it may, and where its secrets may go.
Whatever its scripts try, it is no more than that.`,
		Example: `  pdflow check workflows
  pdflow check onboard.yaml -o json
  pdflow check onboard.yaml --reach
  pdflow check . -o github   # annotations in a pull request`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.check(args, output, reach) },
	}
	c.Flags().BoolVar(&reach, "reach", false, "print what each file may reach")
	c.Flags().StringVarP(&output, "output", "o", "text", "text, json, github or sarif")
	return c
}

func (p *program) check(args []string, output string, reach bool) error {
	if err := oneOf("output", output, "text", "json", "github", "sarif"); err != nil {
		return err
	}
	files, err := workflowFiles(args)
	if err != nil {
		return exit(exitUsage, err)
	}
	if reach {
		return p.reach(files, output)
	}
	site, err := checkingSite()
	if err != nil {
		return err
	}
	found, err := checkFiles(files, site)
	if err != nil {
		return err
	}
	if err := p.printDiagnostics(found, len(files), output); err != nil {
		return err
	}
	if found.HasErrors() {
		return exit(exitInvalid, nil)
	}
	return nil
}

// checkFiles returns the problems of files in their order. The files are shared
// out among the processors.
func checkFiles(files []string, site *site) (workflow.Diagnostics, error) {
	problems, failures := make([]workflow.Diagnostics, len(files)), make([]error, len(files))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(files); i = int(next.Add(1)) - 1 {
				problems[i], failures[i] = checkFile(files[i], site)
			}
		})
	}
	workers.Wait()
	return append(workflow.Diagnostics{}, slices.Concat(problems...)...), errors.Join(failures...)
}

// checkFile returns the problems of a file, warnings too.
func checkFile(file string, site *site) (workflow.Diagnostics, error) {
	plan, err := compileFile(file, site)
	var problems workflow.Diagnostics
	switch {
	case errors.As(err, &problems):
		return problems, nil
	case err != nil:
		return nil, err
	}
	return plan.Warnings, nil
}

// workflowFiles lists the files given and those in the folders given.
func workflowFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, fileError(err, arg)
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		inFolder, err := folderFiles(arg)
		if err != nil {
			return nil, err
		}
		if len(inFolder) == 0 {
			return nil, fmt.Errorf("there is no .yaml file in %s", arg)
		}
		files = append(files, inFolder...)
	}
	return files, nil
}

func folderFiles(folder string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != folder && strings.HasPrefix(name, ".") {
			return filepath.SkipDir
		}
		extension := filepath.Ext(name)
		if !entry.IsDir() && (extension == ".yaml" || extension == ".yml") && !strings.HasSuffix(name, ".world"+extension) && !strings.HasPrefix(name, ".") {
			files = append(files, path)
		}
		return nil
	})
	sort.Strings(files)
	return files, err
}

func (p *program) printDiagnostics(found workflow.Diagnostics, files int, output string) error {
	switch output {
	case "json":
		return writeJSON(p.stdout, found)
	case "sarif":
		return writeJSON(p.stdout, sarif(found))
	}
	var b strings.Builder
	for _, d := range found {
		if output == "github" {
			b.WriteString(githubAnnotation(d) + "\n")
		} else {
			b.WriteString(d.String() + "\n")
		}
	}
	if _, err := io.WriteString(p.stdout, b.String()); err != nil {
		return err
	}
	_, err := io.WriteString(p.stderr, summary(found, files)+"\n")
	return err
}

func summary(found workflow.Diagnostics, files int) string {
	problems := 0
	for _, d := range found {
		if d.Severity == workflow.SeverityError {
			problems++
		}
	}
	checked := plural(files, "file") + " checked"
	if len(found) == 0 {
		return checked + ", no problems"
	}
	return fmt.Sprintf("%s: %s, %s", checked, plural(problems, "error"), plural(len(found)-problems, "warning"))
}

// githubAnnotation is a workflow command of GitHub Actions; it escapes as its
// documentation ("Workflow commands for GitHub Actions") says.
func githubAnnotation(d workflow.Diagnostic) string {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	return fmt.Sprintf("::%s file=%s,line=%d,col=%d,title=%s::%s", d.Severity, property.Replace(d.File), d.Line, d.Column, property.Replace(d.Rule), data.Replace(d.Text()))
}

// sarif is the problems as SARIF 2.1.0, the format of code scanning services.
func sarif(found workflow.Diagnostics) any {
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
			"tool":    map[string]any{"driver": map[string]any{"name": "pdflow", "version": versionText()}},
			"results": results,
		}},
	}
}
