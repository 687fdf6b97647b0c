package attempt

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/redact"
	"github.com/pdflow/pdflow/engine/workflow"
)

// Secrets are the texts of the secrets of one run, each with where it may go.
// It is immutable.
type Secrets struct {
	bound map[string]boundSecret
	names action.Object // NAME to the reference that scripts see
}

type boundSecret struct {
	text    string
	binding workflow.SecretBinding
}

// ResolveSecrets returns the secrets that a plan declares. It gets their texts from source,
// by name, and adds them to the redactor. The texts of secret inputs are taken from
// inputs, which then has references in their place.
func ResolveSecrets(plan *workflow.Plan, inputs action.Object, source func(string) (string, error), redactor *redact.Redactor) (*Secrets, error) {
	s := &Secrets{bound: map[string]boundSecret{}, names: action.Object{}}
	for _, binding := range plan.Workflow.Secrets {
		text, err := secretText(binding.Name, inputs, source)
		if err != nil {
			return nil, err
		}
		if text == "" {
			continue // an optional secret input that was not given
		}
		if len(text) < redact.MinLength {
			return nil, fmt.Errorf("the secret %s has %d characters, at least %d are needed: shorter text cannot be masked in outputs", binding.Name, len(text), redact.MinLength)
		}
		redactor.Add(text)
		redactor.Add(urlParts(text)...)
		s.bound[binding.Name] = boundSecret{text, binding}
		if name, ok := strings.CutPrefix(binding.Name, "inputs."); ok {
			inputs[name] = action.Secret{Name: binding.Name}
		} else {
			s.names[binding.Name] = action.Secret{Name: binding.Name}
		}
	}
	return s, nil
}

// secretText returns the text of a secret. It is empty only for a secret input that was not
// given.
func secretText(name string, inputs action.Object, source func(string) (string, error)) (string, error) {
	if input, ok := strings.CutPrefix(name, "inputs."); ok {
		text, _ := inputs[input].(string)
		return text, nil
	}
	if source == nil {
		return "", fmt.Errorf("the secret %s has no value: this program sets no secrets", name)
	}
	text, err := source(name)
	if err == nil && text == "" {
		err = fmt.Errorf("the secret %s has no value", name)
	}
	return text, err
}

// leastPart is how many characters a part of a URL has that is masked on its own. Shorter
// parts, such as "services", are words of ordinary messages.
const leastPart = 16

// urlParts returns the parts of a secret URL that are masked on their own, since messages and
// answers may have a part only: what is asked of the host, and the long parts of it.
func urlParts(text string) []string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil
	}
	parts := []string{strings.TrimPrefix(u.RequestURI(), "/"), strings.TrimPrefix(u.EscapedPath(), "/")}
	parts = append(parts, strings.Split(u.Path, "/")...)
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	return slices.DeleteFunc(parts, func(part string) bool { return len(part) < leastPart })
}

// references returns the secrets as scripts see them: by name, without text.
func (s *Secrets) references() action.Object {
	if s == nil {
		return action.Object{}
	}
	return s.names
}

// Reveal returns the text of a secret for a destination. The error is of kind permission
// unless the secret is bound to the destination.
func (s *Secrets) Reveal(secret action.Secret, to action.Destination) (string, error) {
	bound, ok := boundSecret{}, false
	if s != nil {
		bound, ok = s.bound[secret.Name]
	}
	switch {
	case !ok:
		return "", action.Errorf(action.Permission, "the run does not declare the secret %s", secret.Name)
	case bound.binding.Allows(to):
		return bound.text, nil
	}
	return "", &action.Error{Kind: action.Permission, Message: fmt.Sprintf("the secret %s may not go to %s", secret.Name, to), Hint: bindingHint(bound.binding, to)}
}

// Hosts returns the hosts that a secret is bound to.
func (s *Secrets) Hosts(secret action.Secret) []string {
	if s == nil {
		return nil
	}
	return s.bound[secret.Name].binding.Hosts
}

// bindingHint returns the binding that would allow the destination.
func bindingHint(b workflow.SecretBinding, to action.Destination) string {
	if place, ok := to.Place(); ok {
		return fmt.Sprintf("bind it: %s: {%s: true}", b.Name, place)
	}
	hosts := append(slices.Clone(b.Hosts), string(to))
	return fmt.Sprintf("bind it: %s: {hosts: [%s]}", b.Name, strings.Join(hosts, ", "))
}
