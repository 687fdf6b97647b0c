package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/engine/journal"
	"github.com/pdflow/pdflow/engine/journal/sqlite"
	"github.com/spf13/pflag"
)

// defaultRetention is how long ended runs are kept.
const defaultRetention = 30 * 24 * time.Hour

// pruneEvery is how often runs that are too old are looked for.
const pruneEvery = 24 * time.Hour

// A dataFolder is where runs are kept: a folder with the journal.
type dataFolder struct {
	flag string // --data-dir, or PDFLOW_DATA_DIR
}

func (d *dataFolder) addFlag(f *pflag.FlagSet) {
	f.StringVar(&d.flag, "data-dir", "", "the folder of the journal (default $XDG_STATE_HOME/pdflow, else ~/.local/state/pdflow)")
}

// option is how a command line names the folder; empty for the default one.
func (d dataFolder) option() string {
	if d.flag == "" {
		return ""
	}
	return " --data-dir " + shellWord(d.flag)
}

// shellWord quotes a text for a POSIX shell where that is needed.
func shellWord(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// dataDir is the path of a data folder.
func (p *program) dataDir(d dataFolder) (string, error) {
	if d.flag != "" {
		return d.flag, nil
	}
	if state := p.getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "pdflow"), nil
	}
	for _, variable := range []string{"HOME", "USERPROFILE"} { // the second on Windows
		if home := p.getenv(variable); filepath.IsAbs(home) {
			return filepath.Join(home, ".local", "state", "pdflow"), nil
		}
	}
	return "", errors.New("there is no folder for the journal: set HOME or XDG_STATE_HOME, or give --data-dir")
}

// A journal is one that is open, and the folder that it is in.
type journalFolder struct {
	*sqlite.Journal
	folder    dataFolder
	path      string
	retention time.Duration // 0: nothing is deleted
}

// openJournal opens the journal of a folder, which is made where it is not there.
func (p *program) openJournal(d dataFolder, retention age) (*journalFolder, error) {
	path, err := p.dataDir(d)
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	opened, err := sqlite.Open(sqlite.Config{Dir: path})
	if err != nil {
		return nil, exit(exitUsage, fmt.Errorf("the journal cannot be opened: %w", err))
	}
	return &journalFolder{opened, d, path, time.Duration(retention)}, nil
}

// openRecords opens the journal for a command that looks at runs. Nil, nil means
// that nothing was ever recorded there: looking makes no files.
func (p *program) openRecords(d dataFolder) (*journalFolder, error) {
	path, err := p.dataDir(d)
	if err != nil {
		return nil, exit(exitUsage, err)
	}
	if _, err := os.Stat(filepath.Join(path, sqlite.FileName)); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return p.openJournal(d, 0)
}

// retain has runs deleted that ended longer ago, when the journal is closed.
func (j *journalFolder) retain(retention age) { j.retention = time.Duration(retention) }

// closeJournal closes a journal, if there is one. Once a day it deletes what is
// too old first. What goes wrong then is no failure of the command: every run is
// on the disk already.
func (p *program) closeJournal(j *journalFolder) {
	if j == nil {
		return
	}
	if err := errors.Join(j.tidy(time.Now()), j.Close()); err != nil {
		fmt.Fprintf(p.stderr, "pdflow: the journal in %s: %v\n", j.path, err)
	}
}

// tidy deletes runs that ended before the retention. The time of a file says when
// this was done last, so that it costs other commands nothing.
func (j *journalFolder) tidy(now time.Time) error {
	if j.retention == 0 {
		return nil
	}
	marker := filepath.Join(j.path, "pruned")
	if info, err := os.Stat(marker); err == nil && now.Sub(info.ModTime()) < pruneEvery {
		return nil
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		return err
	}
	if err := os.Chtimes(marker, now, now); err != nil {
		return err
	}
	_, err := j.Prune(context.Background(), now.Add(-j.retention))
	return err
}

// command is the command line that does something with a run; secret inputs have
// to be given again.
func (j *journalFolder) command(verb, run string, secretInputs []string) string {
	text := "pdflow runs " + verb + " " + shellWord(run) + j.folder.option()
	for _, name := range secretInputs {
		text += " -i " + name + "=..."
	}
	return text
}

// An age is a duration that may be written in days: 30d.
type age time.Duration

var _ pflag.Value = (*age)(nil)

// Set reads an age.
func (a *age) Set(text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err == nil && n >= 0 && n < 100_000 {
			*a = age(n * 24 * float64(time.Hour))
			return nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no age; write 30d or 12h", text)
	}
	*a = age(d)
	return nil
}

// String writes whole days as such.
func (a *age) String() string {
	const day = 24 * time.Hour
	if d := time.Duration(*a); d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return time.Duration(*a).String()
}

// Type names the value in the help.
func (*age) Type() string { return "age" }

func addRetention(f *pflag.FlagSet, a *age) {
	*a = age(defaultRetention)
	f.Var(a, "retention", "how long ended runs are kept; 0 keeps them for good")
}

// summaryOf finds a run by its id, by an unambiguous beginning of it, or by the
// word last.
func (j *journalFolder) summaryOf(ctx context.Context, name string) (journal.Summary, error) {
	query := journal.Query{Run: name, Limit: 6}
	if name == "last" {
		query = journal.Query{Limit: 1}
	}
	found, err := j.Runs(ctx, query)
	if err != nil {
		return journal.Summary{}, exit(exitFailed, err)
	}
	for _, run := range found {
		if run.Run == name || len(found) == 1 {
			return run, nil
		}
	}
	if len(found) > 1 {
		return journal.Summary{}, usageError("several runs begin with %s: %s; write more of the id", name, runIDs(found))
	}
	return journal.Summary{}, j.unknownRun(ctx, name)
}

// unknownRun says that there is no such run, with those whose ids begin alike.
func (j *journalFolder) unknownRun(ctx context.Context, name string) error {
	list := "`pdflow runs list" + j.folder.option() + "` lists them"
	if name == "last" {
		return usageError("there are no runs in %s yet", j.path)
	}
	const enough = 4 // characters: the ids of one month have the first in common
	for n := len(name) - 1; n >= enough; n-- {
		near, err := j.Runs(ctx, journal.Query{Run: name[:n], Limit: 3})
		if err == nil && len(near) > 0 {
			return usageError("there is no run %s (did you mean %s?); %s", name, runIDs(near), list)
		}
	}
	return usageError("there is no run %s; %s", name, list)
}

func runIDs(runs []journal.Summary) string {
	ids := make([]string, len(runs))
	for i := range runs {
		ids[i] = runs[i].Run
	}
	return strings.Join(ids, ", ")
}
