package setup

import (
	"testing"
	"testing/fstest"

	"github.com/pdflow/pdflow/engine/workflow"
)

// TestA9ControlGroups: the memory of the process is the least that its control groups and
// their parents allow, in both versions.
func TestA9ControlGroups(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"none":                {nil, 0},
		"version 2":           {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "536870912\n"}, 512 << 20},
		"a parent":            {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "1073741824\n"}, 1 << 30},
		"the least":           {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "2147483648\n", "sys/fs/cgroup/a/memory.max": "1073741824\n"}, 1 << 30},
		"no bound":            {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 0},
		"in a container":      {map[string]string{"proc/self/cgroup": "0::/docker/0123\n", "sys/fs/cgroup/memory.max": "268435456\n"}, 256 << 20},
		"version 1":           {map[string]string{"proc/self/cgroup": "12:pids:/x\n5:cpu,memory:/a\n0::/\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "536870912\n"}, 512 << 20},
		"version 1, a parent": {map[string]string{"proc/self/cgroup": "5:memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n"}, 512 << 20},
		"version 1, no bound": {map[string]string{"proc/self/cgroup": "5:memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		"another controller":  {map[string]string{"proc/self/cgroup": "5:memoryish:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "536870912\n"}, 0},
		"outside":             {map[string]string{"proc/self/cgroup": "0::/../../a\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		"not a number":        {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "lots\n"}, 0},
		"zero":                {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "0\n"}, 0},
	} {
		files := fstest.MapFS{}
		for path, text := range test.files {
			files[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := controlled(files); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}

// FuzzControlGroups: no list of control groups ends the process or leads outside its folder.
func FuzzControlGroups(f *testing.F) {
	f.Add("0::/a/b\n5:cpu,memory:/a\n")
	f.Add("::::\n0::..\n\x00")
	f.Fuzz(func(t *testing.T, groups string) {
		files := fstest.MapFS{"proc/self/cgroup": &fstest.MapFile{Data: []byte(groups)}, "sys/fs/secret": &fstest.MapFile{Data: []byte("5")}}
		if got := controlled(files); got != 0 {
			t.Errorf("got %d", got)
		}
	})
}

// TestA9MaxMemory: --max-memory is a size that the process can work in.
func TestA9MaxMemory(t *testing.T) {
	for text, want := range map[string]int64{"512MB": 512 << 20, "1GB": 1 << 30, "128MB": 128 << 20} {
		var m MaxMemory
		if err := m.Set(text); err != nil || int64(m) != want {
			t.Errorf("%s: got %d, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "127MB", "lots", "512 MB x", "NaN", "1e30", "512mb?"} {
		var m MaxMemory
		if err := m.Set(text); err == nil {
			t.Errorf("%s: got %d, want an error", text, m)
		}
	}
}

// TestA10Configuration: pdflow.yaml sets the ceilings and the memory of the process.
func TestA10Configuration(t *testing.T) {
	c, err := ParseConfiguration("pdflow.yaml", []byte("limits: {max_memory: 512MB, memory: 32MB, max_attempts: 3, step_timeout: 1h}\n"))
	if err != nil || c.MaxMemory != 512<<20 || c.Ceilings != (workflow.Ceilings{Memory: 32 << 20, Attempts: 3, StepTimeout: 3600e9}) {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, text := range []string{"limits: {max_memory: 1MB}", "limits: {memory: lots}", "limits: {memroy: 1MB}", "limits: {max_attempts: 0}", "limits: 5"} {
		if _, err := ParseConfiguration("pdflow.yaml", []byte(text)); err == nil {
			t.Errorf("%s: got no error", text)
		}
	}
}
