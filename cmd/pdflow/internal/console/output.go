package console

import (
	"cmp"
	"fmt"
	"io"
	"sync"
)

// A LostOutput says that standard output could not be written, as on a full disk. What the
// command did is done all the same.
type LostOutput struct {
	Done string // what was done, as a sentence without its end; may be empty
	Err  error
}

// Error says what was done and what is lost.
func (e *LostOutput) Error() string {
	if e.Done == "" {
		return fmt.Sprintf("the output could not be written: %v", e.Err)
	}
	return fmt.Sprintf("%s, but its output is lost: %v", e.Done, e.Err)
}

// Unwrap returns why the output could not be written.
func (e *LostOutput) Unwrap() error { return e.Err }

// An output is a standard output that remembers that it could not be written.
type output struct {
	to  io.Writer
	mu  sync.Mutex
	err error // of the first write that failed
}

// Write writes the text. Its error is a [LostOutput].
func (o *output) Write(text []byte) (int, error) {
	if len(text) == 0 {
		return 0, nil // nothing can be lost, but a full device reports an error
	}
	n, err := o.to.Write(text)
	if err == nil {
		return n, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = cmp.Or(o.err, err)
	return n, &LostOutput{Err: o.err}
}

// Lost returns an error if some of the standard output could not be written, else nil. It
// says what was done.
func (c *Console) Lost(done string) error {
	o, ok := c.Stdout.(*output)
	if !ok {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		return nil
	}
	return &LostOutput{done, o.err}
}
