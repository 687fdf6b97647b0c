package setup

import (
	"path/filepath"
	"testing"
	"time"
)

// TestDataDir: where the journal is.
func TestDataDir(t *testing.T) {
	home, state := filepath.Join(t.TempDir(), "home"), filepath.Join(t.TempDir(), "state")
	for _, test := range []struct {
		name        string
		flag        string
		environment map[string]string
		want        string // "": an error
	}{
		{"the flag wins", "here", map[string]string{"XDG_STATE_HOME": state, "HOME": home}, "here"},
		{"XDG_STATE_HOME", "", map[string]string{"XDG_STATE_HOME": state, "HOME": home}, filepath.Join(state, "pdflow")},
		{"relative paths in XDG_STATE_HOME are invalid, the specification says", "", map[string]string{"XDG_STATE_HOME": "state", "HOME": home}, filepath.Join(home, ".local", "state", "pdflow")},
		{"HOME", "", map[string]string{"HOME": home}, filepath.Join(home, ".local", "state", "pdflow")},
		{"USERPROFILE", "", map[string]string{"USERPROFILE": home}, filepath.Join(home, ".local", "state", "pdflow")},
		{"nothing", "", nil, ""},
	} {
		p := &Environment{Getenv: func(name string) string { return test.environment[name] }}
		got, err := p.DataDir(DataFolder{test.flag})
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: got %q and the error %v, want %q", test.name, got, err, test.want)
		}
	}
}

func TestAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"30d": 720 * time.Hour, "0.5d": 12 * time.Hour, "90m": 90 * time.Minute, "0": 0} {
		var a Age
		if err := a.Set(text); err != nil || time.Duration(a) != want {
			t.Errorf("%q: got %v and the error %v, want %v", text, time.Duration(a), err, want)
		}
	}
	for _, text := range []string{"", "d", "-1d", "-5m", "a week", "1e9d"} {
		var a Age
		if err := a.Set(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, time.Duration(a))
		}
	}
}
