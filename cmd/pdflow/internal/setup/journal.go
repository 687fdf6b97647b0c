package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pdflow/pdflow/cmd/pdflow/internal/console"
	"github.com/pdflow/pdflow/engine/sqlite"
	"github.com/spf13/pflag"
)

// DefaultRetention is how long ended runs are kept.
const DefaultRetention = 30 * 24 * time.Hour

// pruneEvery is how often runs that are too old are looked for.
const pruneEvery = 24 * time.Hour

// A DataFolder is where runs are kept: a folder with the journal.
type DataFolder struct {
	Flag string // --data-dir, or PDFLOW_DATA_DIR
}

func (d *DataFolder) AddFlag(f *pflag.FlagSet) {
	f.StringVar(&d.Flag, "data-dir", "", "the folder of the journal (default $XDG_STATE_HOME/pdflow, else ~/.local/state/pdflow)")
}

// Option is how a command line names the folder; empty for the default one.
func (d DataFolder) Option() string {
	if d.Flag == "" {
		return ""
	}
	return " --data-dir " + console.ShellWord(d.Flag)
}

// DataDir is the path of a data folder.
func (p *Environment) DataDir(d DataFolder) (string, error) {
	if d.Flag != "" {
		return d.Flag, nil
	}
	if state := p.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "pdflow"), nil
	}
	for _, variable := range []string{"HOME", "USERPROFILE"} { // the second on Windows
		if home := p.Getenv(variable); filepath.IsAbs(home) {
			return filepath.Join(home, ".local", "state", "pdflow"), nil
		}
	}
	return "", errors.New("there is no folder for the journal: set HOME or XDG_STATE_HOME, or give --data-dir")
}

// A Journal is one that is open, and the folder that it is in.
type Journal struct {
	*sqlite.Journal
	Folder    DataFolder
	Path      string
	retention time.Duration // 0: nothing is deleted
}

// OpenJournal opens the journal of a folder, which is made where it is not there.
func (p *Environment) OpenJournal(d DataFolder, retention Age) (*Journal, error) {
	path, err := p.DataDir(d)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	opened, err := sqlite.Open(sqlite.Config{Dir: path})
	if err != nil {
		return nil, console.Exit(console.ExitUsage, fmt.Errorf("the journal cannot be opened: %w", err))
	}
	return &Journal{opened, d, path, time.Duration(retention)}, nil
}

// OpenRecords opens the journal for a command that looks at runs. Nil, nil means
// that nothing was ever recorded there: looking makes no files.
func (p *Environment) OpenRecords(d DataFolder) (*Journal, error) {
	path, err := p.DataDir(d)
	if err != nil {
		return nil, console.Exit(console.ExitUsage, err)
	}
	if _, err := os.Stat(filepath.Join(path, sqlite.FileName)); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return p.OpenJournal(d, 0)
}

// Retain has runs deleted that ended longer ago, when the journal is closed.
func (j *Journal) Retain(retention Age) { j.retention = time.Duration(retention) }

// CloseJournal closes a journal, if there is one. Once a day it deletes what is
// too old first. What goes wrong then is no failure of the command: every run is
// on the disk already.
func (p *Environment) CloseJournal(j *Journal) {
	if j == nil {
		return
	}
	if err := errors.Join(j.Tidy(time.Now()), j.Close()); err != nil {
		fmt.Fprintf(p.Stderr, "pdflow: the journal in %s: %v\n", j.Path, err)
	}
}

// Tidy deletes runs that ended before the retention. The time of a file says when
// this was done last, so that it costs other commands nothing.
func (j *Journal) Tidy(now time.Time) error {
	if j.retention == 0 {
		return nil
	}
	marker := filepath.Join(j.Path, "pruned")
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

// Command is the command line that does something with a run; secret inputs have
// to be given again.
func (j *Journal) Command(verb, run string, secretInputs []string) string {
	text := "pdflow runs " + verb + " " + console.ShellWord(run) + j.Folder.Option()
	for _, name := range secretInputs {
		text += " -i " + name + "=..."
	}
	return text
}

// An Age is a duration that may be written in days: 30d.
type Age time.Duration

var _ pflag.Value = (*Age)(nil)

// Set reads an age.
func (a *Age) Set(text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err == nil && n >= 0 && n < 100_000 {
			*a = Age(n * 24 * float64(time.Hour))
			return nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no age; write 30d or 12h", text)
	}
	*a = Age(d)
	return nil
}

// String writes whole days as such.
func (a *Age) String() string {
	const day = 24 * time.Hour
	if d := time.Duration(*a); d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return time.Duration(*a).String()
}

// Type names the value in the help.
func (*Age) Type() string { return "age" }

func AddRetention(f *pflag.FlagSet, a *Age) {
	*a = Age(DefaultRetention)
	f.Var(a, "retention", "how long ended runs are kept; 0 keeps them for good")
}

// NoRuns says that nothing was ever recorded.
func (p *Environment) NoRuns(d DataFolder) error {
	path, err := p.DataDir(d)
	if err != nil {
		return console.Exit(console.ExitUsage, err)
	}
	return console.Usage("there are no runs in %s; `pdflow run FILE` records one, --data-dir names another folder", path)
}

// Records opens the journal for a command that needs a run in it.
func (p *Environment) Records(d DataFolder) (*Journal, error) {
	j, err := p.OpenRecords(d)
	if err == nil && j == nil {
		err = p.NoRuns(d)
	}
	return j, err
}
