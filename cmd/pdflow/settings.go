package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty"
)

// settings are which PagerDuty a command talks to, and as whom.
type settings struct {
	apiKey, serviceKey string
	region             string
	apiURL, eventsURL  string
	fromEmail          string
	eventsAPI          string
	authorities        []byte         // certificates to trust beside the system's, in PEM
	clock              *skippingClock // of a simulated PagerDuty; nil for the machine's
}

// The environment variables of each setting; the first name is ours, the others
// are those of other tools, so that a machine set up for one of them just works.
var (
	apiKeyVariables     = []string{"PAGERDUTY_API_KEY", "PAGERDUTY_TOKEN", "PAGERDUTY_USER_API_KEY", "PAGERDUTY_USER_TOKEN"}
	serviceKeyVariables = []string{"PAGERDUTY_SERVICE_KEY", "PAGERDUTY_ROUTING_KEY"}
)

// settings reads the environment. Keys are made known to the redactor at once.
func (p *program) settings() (s settings, err error) {
	if s.apiKey, err = p.key(apiKeyVariables); err != nil {
		return s, err
	}
	if s.serviceKey, err = p.key(serviceKeyVariables); err != nil {
		return s, err
	}
	p.redactor.Add(s.apiKey, s.serviceKey)
	s.region = p.getenv("PAGERDUTY_SERVICE_REGION")
	s.apiURL, s.eventsURL = p.getenv("PAGERDUTY_API_URL"), p.getenv("PAGERDUTY_EVENTS_URL")
	s.fromEmail = p.getenv("PAGERDUTY_FROM_EMAIL")
	s.eventsAPI = p.getenv("PAGERDUTY_EVENTS_API")
	if file := p.getenv("PAGERDUTY_CA_FILE"); file != "" {
		if s.authorities, err = os.ReadFile(file); err != nil {
			return s, fmt.Errorf("PAGERDUTY_CA_FILE: %w", fileError(err, file))
		}
	}
	return s, nil
}

func (s settings) client() (*pagerduty.Client, error) {
	c := pagerduty.Config{
		APIKey: s.apiKey, ServiceKey: s.serviceKey, FromEmail: s.fromEmail, CACertificates: s.authorities,
		Region: pagerduty.Region(s.region), APIURL: s.apiURL, EventsURL: s.eventsURL,
		EventsAPI: pagerduty.EventsVersion(s.eventsAPI), UserAgent: "pdflow/" + versionText(),
	}
	if s.clock != nil {
		c.Sleep, c.Now = s.clock.Sleep, s.clock.Now
	}
	return pagerduty.New(c)
}

// key reads a key from the first of several variables that is set, from the file
// that NAME_FILE names, or from systemd's credentials. Two that disagree are an
// error that names both and shows neither.
func (p *program) key(variables []string) (string, error) {
	value, from := "", ""
	take := func(text, name string) error {
		if text == "" || text == value {
			return nil
		}
		if value != "" {
			p.redactor.Add(text, value)
			return fmt.Errorf("%s and %s are both set and differ; keep one", from, name)
		}
		value, from = text, name
		return nil
	}
	for _, name := range variables {
		if err := take(strings.TrimSpace(p.getenv(name)), name); err != nil {
			return "", err
		}
		text, err := p.keyFile(p.getenv(name+"_FILE"), name+"_FILE")
		if err != nil {
			return "", err
		}
		if err := take(text, name+"_FILE"); err != nil {
			return "", err
		}
	}
	if folder := p.getenv("CREDENTIALS_DIRECTORY"); folder != "" && value == "" {
		for _, name := range variables {
			file := filepath.Join(folder, strings.ToLower(name))
			if _, err := os.Stat(file); err == nil {
				return p.keyFile(file, "$CREDENTIALS_DIRECTORY")
			}
		}
	}
	return value, nil
}

func (p *program) keyFile(file, variable string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", variable, fileError(err, file))
	}
	return strings.TrimSpace(string(text)), nil
}

// secret returns the text of a declared secret, from the environment or a file.
func (p *program) secret(name string) (string, error) {
	return p.key([]string{name})
}
