package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The environment variables of each setting; the first name is ours, the others
// are those of other tools, so that a machine set up for one of them just works.
var (
	APIKeyVariables     = []string{"PAGERDUTY_API_KEY", "PAGERDUTY_TOKEN", "PAGERDUTY_USER_API_KEY", "PAGERDUTY_USER_TOKEN"}
	ServiceKeyVariables = []string{"PAGERDUTY_SERVICE_KEY", "PAGERDUTY_ROUTING_KEY"}
)

// key reads a key from the first of several variables that is set, from the file
// that NAME_FILE names, or from systemd's credentials. Two that disagree are an
// error that names both and shows neither.
func (p *Environment) key(variables []string) (string, error) {
	value, from := "", ""
	take := func(text, name string) error {
		if text == "" || text == value {
			return nil
		}
		if value != "" {
			p.Redactor.Add(text, value)
			return fmt.Errorf("%s and %s are both set and differ; keep one", from, name)
		}
		value, from = text, name
		return nil
	}
	for _, name := range variables {
		if err := take(strings.TrimSpace(p.Getenv(name)), name); err != nil {
			return "", err
		}
		text, err := p.keyFile(p.Getenv(name+"_FILE"), name+"_FILE")
		if err != nil {
			return "", err
		}
		if err := take(text, name+"_FILE"); err != nil {
			return "", err
		}
	}
	if folder := p.Getenv("CREDENTIALS_DIRECTORY"); folder != "" && value == "" {
		for _, name := range variables {
			file := filepath.Join(folder, strings.ToLower(name))
			if _, err := os.Stat(file); err == nil {
				return p.keyFile(file, "$CREDENTIALS_DIRECTORY")
			}
		}
	}
	return value, nil
}

func (p *Environment) keyFile(file, variable string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", variable, FileError(err, file))
	}
	return strings.TrimSpace(string(text)), nil
}

// secret returns the text of a declared secret, from the environment or a file.
func (p *Environment) secret(name string) (string, error) {
	return p.key([]string{name})
}

// SimulatedSecret returns the text of a declared secret under --simulate. One
// that is not set gets a made-up text, the same each time, in the shape of a
// service key, so that it works wherever a secret does.
func (p *Environment) SimulatedSecret(name string) (string, error) {
	text, err := p.secret(name)
	if err != nil || text != "" {
		return text, err
	}
	sum := sha256.Sum256([]byte("simulated " + name))
	return hex.EncodeToString(sum[:16]), nil
}
