package library_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pdflow/pdflow/builtins"
	"github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/library"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/clock"
	"github.com/pdflow/pdflow/engine/lua"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

const healthCheck = `name: check-%d
schedule: "*/5 * * * *"
permissions: {http: ["https://service-%d.example.com"], pagerduty: [send_trigger_event, send_resolve_event]}
inputs: {key: {type: string, default: "service-%d"}}
steps:
  - id: look
    uses: http.get
    with: {url: "https://service-%d.example.com/health"}
  - id: judge
    lua: |
      if steps.look.outputs.status ~= 200 then
        return {broken = true, text = "version %d answered " .. steps.look.outputs.status}
      end
      return {broken = false, text = ""}
`

// checker returns a function that compiles a file as `pdflow check` does.
func checker(b *testing.B) func(source.File) (*workflow.Plan, []string, error) {
	catalog, err := action.NewCatalog(builtins.Actions(builtins.Config{})...)
	if err != nil {
		b.Fatal(err)
	}
	interpreter := lua.New(catalog)
	return func(file source.File) (*workflow.Plan, []string, error) {
		text, err := file.Read(source.MaxFileSize)
		if err != nil {
			return nil, nil, err
		}
		parsed, _ := workflow.Parse(file.Path, text)
		plan, err := workflow.Compile(parsed, catalog, interpreter)
		return plan, nil, err
	}
}

func writeChecks(b *testing.B, folder string, from, to, version int) []string {
	var files []string
	for i := from; i < to; i++ {
		files = append(files, filepath.Join(folder, fmt.Sprintf("check-%05d.yaml", i)))
		if err := os.WriteFile(files[i-from], fmt.Appendf(nil, healthCheck, i, i, i, i, version), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return files
}

// BenchmarkReload compares a reload with compiling the changed files one after the other.
// The bound is 1.5 times as long.
func BenchmarkReload(b *testing.B) {
	for _, size := range []struct{ all, changed int }{{200, 200}, {200, 1}, {10_000, 100}} {
		name := fmt.Sprintf("%d-of-%d", size.changed, size.all)
		b.Run(name+"/check", func(b *testing.B) {
			compile, folder := checker(b), b.TempDir()
			for i := range b.N {
				b.StopTimer()
				files := writeChecks(b, folder, 0, size.changed, i)
				b.StartTimer()
				for _, file := range files {
					if _, _, err := compile(source.File{Path: file, Folder: folder}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(name+"/reload", func(b *testing.B) {
			folder := b.TempDir()
			ago := time.Now().Add(-time.Hour) // young files would be read again
			for _, file := range writeChecks(b, folder, 0, size.all, -1) {
				if err := os.Chtimes(file, ago, ago); err != nil {
					b.Fatal(err)
				}
			}
			l, err := library.Open(library.Config{
				Paths: []string{folder}, Compile: checker(b), Clock: clock.System{}, Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				b.Fatal(err)
			}
			if broken := l.Snapshot().Broken(); broken > 0 {
				b.Fatalf("got %d broken files, want none: %v", broken, l.Snapshot().Files[0].Problem)
			}
			b.ResetTimer()
			for i := range b.N {
				b.StopTimer()
				writeChecks(b, folder, 0, size.changed, i)
				b.StartTimer()
				if got := len(l.Check()); got != size.changed {
					b.Fatalf("got %d changes, want %d", got, size.changed)
				}
			}
		})
	}
}
