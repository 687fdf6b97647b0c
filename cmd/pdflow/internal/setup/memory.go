package setup

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/phrase"
	"github.com/pdflow/pdflow/engine/workflow"
	"github.com/spf13/pflag"
)

// LeastMemory is the smallest memory that the process can work in, in bytes.
const LeastMemory = 128 << 20

// A MaxMemory is the memory of the process as --max-memory gives it, in bytes; 0 when it is
// not given.
type MaxMemory int64

var _ pflag.Value = (*MaxMemory)(nil)

// AddFlag adds --max-memory to a command.
func (m *MaxMemory) AddFlag(f *pflag.FlagSet) {
	f.Var(m, "max-memory", "the memory of this process, such as 512MB: attempts wait for room (default: limits.max_memory of pdflow.yaml, else nine tenths of what its control group allows)")
}

// Set reads a size.
func (m *MaxMemory) Set(text string) error {
	bytes, ok := phrase.ParseBytes(text)
	if !ok || bytes < LeastMemory || bytes > 1<<50 {
		return fmt.Errorf("%q is not a size of at least %s, such as 512MB", text, phrase.Bytes(LeastMemory))
	}
	*m = MaxMemory(bytes)
	return nil
}

// String returns the size.
func (m *MaxMemory) String() string {
	if *m == 0 {
		return ""
	}
	return phrase.Bytes(int64(*m))
}

// Type names the flag's value.
func (*MaxMemory) Type() string { return "SIZE" }

const (
	// ownBytes is about what the process needs for itself.
	ownBytes = 64 << 20
	// scriptsPart is the part of the rest that attempts may hold together. What is left is
	// for garbage that was not collected yet, and for requests and answers.
	scriptsPart = 0.625
	// controlPart is the part of what a control group allows that the process uses.
	controlPart = 0.9
)

// LimitMemory bounds the memory of this process, and with it what the runs of a target hold
// together. Without a flag, a configuration and a control group nothing changes.
func (e *Environment) LimitMemory(target *Target, flag MaxMemory) error {
	total := int64(flag)
	if total == 0 {
		configuration, err := e.Configuration()
		if err != nil {
			return err
		}
		total = configuration.MaxMemory
	}
	if total == 0 {
		if total = controlled(os.DirFS("/")); total == 0 {
			return nil
		}
		total = max(int64(float64(total)*controlPart), LeastMemory)
	}
	if e.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(total)
	}
	target.limit(total)
	return nil
}

// limit bounds the memory of the runs of a target in a process of this many bytes.
func (t *Target) limit(total int64) {
	t.memory = engine.NewMemory(int64(float64(total-ownBytes) * scriptsPart))
	t.ceilings = t.ceilings.Below(workflow.Ceilings{Memory: t.memory.Largest()})
}

// controlled returns what the control groups of this process allow, in bytes; 0 when they
// set no bound. root is the root folder of the machine.
func controlled(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	note := func(file string) {
		text, err := fs.ReadFile(root, file)
		if err != nil {
			return
		}
		if bytes, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && bytes > 0 {
			least = min(least, bytes)
		}
	}
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	for lines := bufio.NewScanner(strings.NewReader(string(groups))); lines.Scan(); {
		_, rest, _ := strings.Cut(lines.Text(), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		folder, file := "sys/fs/cgroup", "memory.max" // version 2
		if controllers != "" {
			if !strings.Contains(","+controllers+",", ",memory,") {
				continue
			}
			folder, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes" // version 1
		}
		// In a container the group may be named as on the host, and its folder be the root.
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			note(path.Join(folder, group, file))
			if group == "/" {
				break
			}
		}
	}
	if least >= 1<<60 { // version 1 writes a number like this for no bound
		return 0
	}
	return least
}
