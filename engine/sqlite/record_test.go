package sqlite

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzRecord reads rows that say anything, with a checksum that fits: they are an
// error or an event, and an event is written and read again as it was.
func FuzzRecord(f *testing.F) {
	for _, e := range append(oneStep("R")[0], oneStep("R")[1]...) {
		r, err := encode(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(r.sequence, r.kind, r.time, r.data)
	}
	f.Add(1, 9, int64(0), []byte(`{"items":[]}`))
	f.Add(1, 2, int64(-1), []byte(`{"started":{"inputs":{"a":{"$secret":"inputs.a"},"b":{"$secret":"x"}}}}`))
	f.Add(1, 200, int64(0), []byte(`null`))
	f.Fuzz(func(t *testing.T, sequence, kind int, at int64, data []byte) {
		r := record{sequence: sequence, kind: kind, time: at, data: data}
		r.crc = r.sum()
		e, err := r.decode("R")
		if err != nil {
			return
		}
		again, err := encode(e)
		if err != nil {
			t.Fatalf("%s was read and cannot be written: %v", data, err)
		}
		same, err := again.decode("R")
		if diff := cmp.Diff(e, same, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%v, written and read again (-want +got):\n%s", err, diff)
		}
		r.crc++
		if _, err := r.decode("R"); err == nil {
			t.Error("a wrong checksum was taken")
		}
	})
}
