//go:build unix

package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pdflow/pdflow/engine"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

var background = context.Background()

// oneStep are the events of a run of one step, in the pieces in which they are
// committed.
func oneStep(run string) [][]engine.Event {
	at := time.Date(2026, 1, 31, 9, 0, 0, 123_456_789, time.UTC)
	target := engine.Target{
		Connection: "default", APIURL: "https://api.pagerduty.com", EventsURL: "https://events.pagerduty.com",
		Keys: map[string]string{"api_key": "0123456789abcdef", "service_key": "fedcba9876543210"},
	}
	e := func(n int, kind engine.EventKind) engine.Event {
		return engine.Event{Sequence: n, Time: at.Add(time.Duration(n) * time.Millisecond), Kind: kind, Run: run, Step: "page", Attempt: 1}
	}
	started, finished, end := e(1, engine.RunStarted), e(3, engine.AttemptFinished), e(4, engine.RunFinished)
	started.Step, started.Attempt, end.Step, end.Attempt = "", 0, "", 0
	started.Started = &engine.RunStart{
		Workflow: "port-check", Source: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Inputs: action.Object{"host": "db.example.com", "port": 5432.0}, Trigger: engine.Trigger{Kind: "manual"}, Target: target,
	}
	finished.Outcome = &engine.Outcome{Status: engine.Success, Outputs: action.Object{"open": true, "reason": ""}, Size: 24}
	end.Status, end.Outputs = engine.Success, action.Object{"open": true}
	return [][]engine.Event{{started, e(2, engine.AttemptStarted)}, {finished, end}}
}

func record1(b *testing.B, j *Journal, run string) {
	pieces := oneStep(run)
	entry := engine.Entry{Run: run, Workflow: "port-check", Realm: "default", Trigger: "manual", Sources: []workflow.Source{{Name: "w.yaml", Text: []byte("steps: []")}}}
	if err := j.Begin(background, entry, pieces[0]); err != nil {
		b.Error(err)
	}
	if err := j.Append(background, run, pieces[1]); err != nil {
		b.Error(err)
	}
}

// BenchmarkAppend is a durable write of one event, beside its bound: 300 bytes
// appended to a file and flushed, in the same run.
func BenchmarkAppend(b *testing.B) {
	j := open(b, b.TempDir())
	defer j.Close()
	pieces := oneStep("R")
	if err := j.Begin(background, engine.Entry{Run: "R"}, pieces[0]); err != nil {
		b.Fatal(err)
	}
	e := pieces[1][0]
	n := 2
	for b.Loop() {
		n++
		e.Sequence = n
		if err := j.Append(background, "R", []engine.Event{e}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendBound(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "bound"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := make([]byte, 300)
	for b.Loop() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRuns is how many runs of one step are recorded a second: by one after
// the other, and by 50 at the same time, which share commits. The goal is at
// least four times the rate.
func BenchmarkRuns(b *testing.B) {
	for _, parallel := range []int{1, 50} {
		b.Run(fmt.Sprintf("parallel=%d", parallel), func(b *testing.B) {
			j := open(b, b.TempDir())
			defer j.Close()
			next := make(chan int)
			var all sync.WaitGroup
			for range parallel {
				all.Add(1)
				go func() {
					defer all.Done()
					for n := range next {
						record1(b, j, fmt.Sprintf("01M83MS670T8GY7MYZG%07d", n))
					}
				}()
			}
			b.ResetTimer()
			for n := range b.N {
				next <- n
			}
			close(next)
			all.Wait()
			b.ReportMetric(float64(b.N)*4/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkOpen is what a command pays for the journal before it does anything.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	if err := open(b, dir).Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := open(b, dir).Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDisk is the size of the file for each run of one step; the goal is at
// most 1,024 bytes.
func BenchmarkDisk(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		j := open(b, dir)
		const runs = 2000
		for n := range runs {
			record1(b, j, fmt.Sprintf("01M83MS670T8GY7MYZG%07d", n))
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, FileName))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/runs, "bytes/run")
	}
}
