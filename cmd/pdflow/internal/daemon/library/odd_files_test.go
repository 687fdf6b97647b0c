//go:build unix

package library_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipeIsNotAWorkflow proves that a pipe with the name of a workflow is a broken file.
// Reading it would never end.
func TestPipeIsNotAWorkflow(t *testing.T) {
	w := newTree(t, map[string]string{"a.yaml": "a"})
	if err := syscall.Mkfifo(filepath.Join(w.folder, "b.yaml"), 0o600); err != nil {
		t.Skip(err)
	}
	w.expect("broken b.yaml (b): b.yaml is not a regular file but a named pipe")
	w.serves("a.yaml: a")
}

// TestFolderThatIsClosed proves that the plans of a folder that cannot be read are still
// served, and that the other folders are still checked.
func TestFolderThatIsClosed(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	w := newTree(t, map[string]string{"a.yaml": "a", "sub/b.yaml": "b", "z.yaml": "z"})
	sub := filepath.Join(w.folder, "sub")
	if err := os.Chmod(sub, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(sub, 0o700) })
	w.write("z.yaml", "z again")
	changes := strings.Join(w.lines(w.Check()), "\n")
	if !strings.Contains(changes, "broken sub") || !strings.Contains(changes, "changed z.yaml") {
		t.Errorf("got\n%s\nwant that the folder is closed, and the change of z", changes)
	}
	w.serves("a.yaml: a", "sub/b.yaml: b", "z.yaml: z again")
}
