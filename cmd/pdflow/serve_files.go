package main

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/workflow"
)

// reloadEvery is how often a daemon looks whether files have changed. It asks the file
// system for sizes and times only.
const reloadEvery = 2 * time.Second

// servedFiles are the workflows that a daemon serves: those of files and folders that
// have a schedule. Of a file that is broken by a change the last good version stays.
type servedFiles struct {
	args    []string
	compile func(file string) (*workflow.Plan, error)
	log     *slog.Logger
	byFile  map[string]*servedFile
}

// A servedFile is a file as it was read last.
type servedFile struct {
	stamp string
	plan  *workflow.Plan // the last good version; nil when there was none
}

// load reads everything. Its error says that there is nothing to read.
func (f *servedFiles) load() error {
	f.byFile = map[string]*servedFile{}
	_, err := f.reload()
	return err
}

// reload reads what has changed, and reports whether something has.
func (f *servedFiles) reload() (changed bool, err error) {
	files, err := workflowFiles(f.args)
	if err != nil {
		return false, err
	}
	for file := range f.byFile {
		if !slices.Contains(files, file) {
			f.log.Info("gone", "file", file)
			delete(f.byFile, file)
			changed = true
		}
	}
	for _, file := range files {
		known := f.byFile[file]
		stamp := stampOf(file, known)
		if known != nil && known.stamp == stamp {
			continue
		}
		changed = true
		f.byFile[file] = f.read(file, known)
	}
	return changed, nil
}

// read compiles a file. What is wrong with it is logged once for each change.
func (f *servedFiles) read(file string, known *servedFile) *servedFile {
	plan, err := f.compile(file)
	fresh := &servedFile{plan: plan}
	switch {
	case err == nil && known != nil:
		f.log.Info("read again", "file", file)
	case err == nil:
	case known != nil && known.plan != nil:
		f.log.Error("broken by its last change; the version before goes on", "file", file, "error", err)
		fresh.plan = known.plan
	default:
		f.log.Error("cannot be served", "file", file, "error", err)
		fresh.plan = nil
	}
	fresh.stamp = stampOf(file, fresh)
	return fresh
}

// plans are the workflows to serve, by file. Of two with one name the first counts.
func (f *servedFiles) plans() []*workflow.Plan {
	var plans []*workflow.Plan
	byName := map[string]string{}
	for _, file := range slices.Sorted(maps.Keys(f.byFile)) {
		plan := f.byFile[file].plan
		if plan == nil || len(plan.Workflow.Schedules) == 0 {
			continue
		}
		if first, taken := byName[plan.Workflow.Name]; taken {
			f.log.Error("two files have one name; the first is served", "name", plan.Workflow.Name, "served", first, "not_served", file)
			continue
		}
		byName[plan.Workflow.Name] = file
		plans = append(plans, plan)
	}
	return plans
}

// stampOf changes when the file does, or a Lua file that its plan was made from.
func stampOf(file string, known *servedFile) string {
	names := []string{file}
	if known != nil && known.plan != nil {
		for _, source := range known.plan.Sources[1:] {
			names = append(names, filepath.Join(filepath.Dir(file), source.Name))
		}
	}
	var b strings.Builder
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			fmt.Fprintf(&b, "%s gone\n", name)
			continue
		}
		fmt.Fprintf(&b, "%s %d %d\n", name, info.Size(), info.ModTime().UnixNano())
	}
	return b.String()
}
