package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pdflow/pdflow/engine/run"
)

// BenchmarkAppend measures a durable write of one event, and its lower bound: 300 bytes
// appended to a file and flushed.
func BenchmarkAppend(b *testing.B) {
	b.Run("journal", func(b *testing.B) {
		j := open(b, b.TempDir())
		s := oneStep(1, false)
		if err := j.Begin(background, s.entry, s.pieces[0]); err != nil {
			b.Fatal(err)
		}
		e := s.pieces[1][0]
		for b.Loop() {
			if err := j.Append(background, s.entry.Run, []run.Event{e}); err != nil {
				b.Fatal(err)
			}
			e.Sequence++
		}
	})
	b.Run("bound", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "bound"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		record := make([]byte, 300)
		for b.Loop() {
			if _, err := f.Write(record); err != nil {
				b.Fatal(err)
			}
			if err := flush(f); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRuns measures how many records of runs of one step become durable in a second:
// one run after the other, and 50 at the same time, which share commits. The goal is
// four times the rate.
func BenchmarkRuns(b *testing.B) {
	for _, parallel := range []int{1, 50} {
		b.Run(fmt.Sprintf("parallel=%d", parallel), func(b *testing.B) {
			j := open(b, b.TempDir())
			b.ResetTimer()
			together(parallel, b.N, func(n int) { oneStep(n, false).record(b, j) })
			b.ReportMetric(float64(4*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkOpen measures how long it takes to open and close an existing journal.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		j, err := Open(Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDisk measures the size of the file for each run of one step, without and with a
// call. The goal is at most 1,024 bytes without.
func BenchmarkDisk(b *testing.B) {
	for name, call := range map[string]bool{"plain": false, "call": true} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(bytesPerRun(b, 10_000, call), "bytes/run")
			}
		})
	}
}

// bytesPerRun records runs and returns the size of the journal's folder for each run.
func bytesPerRun(t testing.TB, runs int, call bool) float64 {
	dir := t.TempDir()
	j, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	together(50, runs, func(n int) { oneStep(n, call).record(t, j) })
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return float64(folderSize(t, dir)) / float64(runs)
}

// together calls do for every number below n, parallel calls at a time.
func together(parallel, n int, do func(n int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range parallel {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := range next {
				do(n)
			}
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

// folderSize returns the total size of the files below a folder.
func folderSize(t testing.TB, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
