package setup

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/source"
	"github.com/pdflow/pdflow/engine/workflow"
)

// The environment variables of the keys. The first name is the name of pdflow. The other names are
// used by other tools, so pdflow works on a machine that is set up for one of them.
var (
	APIKeyVariables     = []string{"PAGERDUTY_API_KEY", "PAGERDUTY_TOKEN", "PAGERDUTY_USER_API_KEY", "PAGERDUTY_USER_TOKEN"}
	ServiceKeyVariables = []string{"PAGERDUTY_SERVICE_KEY", "PAGERDUTY_ROUTING_KEY"}
)

// A keyring finds the keys and secrets of the environment.
//
// The redactor should know every secret before there is a message that may quote one. So the texts of
// secrets are learned where their names become known, which is before they are used, and may be before
// it is known that they cannot be used.
type keyring struct{ env *Environment }

func (e *Environment) keyring() keyring { return keyring{e} }

// LearnKeys makes the redactor know the keys of PagerDuty in the environment.
func (e *Environment) LearnKeys() {
	e.keyring().learn(slices.Concat(APIKeyVariables, ServiceKeyVariables)...)
}

// key reads a key from the first of several variables that is set, from the file that NAME_FILE
// names, or from systemd's credentials. Two different keys are an error that names both variables
// and shows neither key.
func (k keyring) key(variables []string) (string, error) {
	value, from := "", ""
	take := func(text, name string) error {
		if text == "" || text == value {
			return nil
		}
		if value != "" {
			k.env.Redactor.Add(text, value)
			return fmt.Errorf("%s and %s are both set and differ; keep one", from, name)
		}
		value, from = text, name
		return nil
	}
	for _, name := range variables {
		if err := take(strings.TrimSpace(k.env.Getenv(name)), name); err != nil {
			return "", err
		}
		text, err := k.file(k.env.Getenv(name+"_FILE"), name+"_FILE")
		if err != nil {
			return "", err
		}
		if err := take(text, name+"_FILE"); err != nil {
			return "", err
		}
	}
	if folder := k.env.Getenv("CREDENTIALS_DIRECTORY"); folder != "" && value == "" {
		for _, name := range variables {
			file := filepath.Join(folder, strings.ToLower(name))
			if _, err := os.Stat(file); err == nil {
				return k.file(file, "$CREDENTIALS_DIRECTORY")
			}
		}
	}
	return value, nil
}

// file reads a key from a file. An error begins with the place that names the file.
func (k keyring) file(file, place string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := k.env.readNamed(file, maxKeyFile)
	if err != nil {
		return "", fmt.Errorf("%s: %w", place, FileError(err, file))
	}
	return strings.TrimSpace(string(text)), nil
}

// secret returns the text of a declared secret from the environment or a file.
func (k keyring) secret(name string) (string, error) {
	text, err := k.key([]string{name})
	if err == nil && text == "" {
		err = fmt.Errorf("the secret %s has no value: set the environment variable %s, or %s_FILE to a file that holds it", name, name, name)
	}
	return text, err
}

// learnSecrets makes the redactor know the secrets that a workflow declares.
func (k keyring) learnSecrets(w *workflow.Workflow) {
	var variables []string
	for _, binding := range w.Secrets {
		if !strings.HasPrefix(binding.Name, "inputs.") {
			variables = append(variables, binding.Name)
		}
	}
	k.learn(variables...)
}

// learnConnections makes the redactor know the keys that a configuration refers to.
func (k keyring) learnConnections(c *Configuration) {
	for _, connection := range c.Connections {
		for _, key := range []SecretReference{connection.APIKey, connection.ServiceKey} {
			if key.File != "" {
				k.learnFile(relativeTo(c.File, key.File))
			} else if key.Variable != "" {
				k.env.Redactor.Add(strings.TrimSpace(k.env.Getenv(key.Variable)))
			}
		}
	}
}

// learn makes the redactor know the texts that [keyring.key] would find.
func (k keyring) learn(variables ...string) {
	for _, name := range variables {
		k.env.Redactor.Add(strings.TrimSpace(k.env.Getenv(name)))
		k.learnFile(k.env.Getenv(name + "_FILE"))
		if folder := k.env.Getenv("CREDENTIALS_DIRECTORY"); folder != "" {
			k.learnFile(filepath.Join(folder, strings.ToLower(name)))
		}
	}
}

// learnFile makes the redactor know the text of a file. It reads regular files only: the text of a pipe can
// be read once, and belongs to who uses it.
func (k keyring) learnFile(file string) {
	if info, err := os.Stat(file); file == "" || err != nil || !info.Mode().IsRegular() {
		return
	}
	if text, err := source.ReadFile(file, maxKeyFile); err == nil {
		k.env.Redactor.Add(strings.TrimSpace(string(text)))
	}
}

// SimulatedSecret returns the text of a declared secret under --simulate. A secret that is not set
// gets a made-up text, the same one every time. It has the shape of a service key, so it is accepted
// everywhere.
func (e *Environment) SimulatedSecret(name string) (string, error) {
	text, err := e.keyring().key([]string{name})
	if err != nil {
		return "", err
	}
	return cmp.Or(text, madeUp(name)), nil
}

// madeUp returns a text for a secret without one.
func madeUp(name string) string {
	sum := sha256.Sum256([]byte("simulated " + name))
	return hex.EncodeToString(sum[:16])
}

// SimulatedInput returns a made-up text of a secret input, the same one every time, that the workflow
// accepts.
func SimulatedInput(f *action.Field) string {
	text := madeUp("inputs." + f.Name)
	switch {
	case len(f.Enum) > 0:
		return f.Enum[0]
	case f.Format == "url":
		return "https://" + text + ".example.com/" + text
	case f.Format == "email":
		return text + "@example.com"
	case f.Format == "hostname":
		return text + ".example.com"
	case f.Format == "ip":
		return "2001:db8::" + text[:4]
	case f.Format == "date":
		return "2026-01-05"
	case f.Format == "date-time":
		return "2026-01-05T09:00:00Z"
	}
	return text
}
