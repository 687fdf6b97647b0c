package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins"
	pagerduty "github.com/pdflow/pdflow/builtins/pagerduty/client"
	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/workflow"
)

// settings are which PagerDuty a connection leads to, and as whom.
type settings struct {
	apiKey, serviceKey string
	region             string
	apiURL, eventsURL  string
	fromEmail          string
	eventsAPI          string
	authorities        []byte      // certificates to trust beside the system's, in PEM
	clock              clientClock // of a simulated PagerDuty; nil for the machine's
	pacing             *pagerduty.Pacing
}

// A clientClock is the time that a client lives in.
type clientClock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// The environment variables of each setting; the first name is ours, the others
// are those of other tools, so that a machine set up for one of them just works.
var (
	apiKeyVariables     = []string{"PAGERDUTY_API_KEY", "PAGERDUTY_TOKEN", "PAGERDUTY_USER_API_KEY", "PAGERDUTY_USER_TOKEN"}
	serviceKeyVariables = []string{"PAGERDUTY_SERVICE_KEY", "PAGERDUTY_ROUTING_KEY"}
)

// settingsOf reads the settings of a connection: those of the configuration, and
// for the default one those of the environment, which win. Keys are made known to
// the redactor at once.
func (p *program) settingsOf(c *workflow.Configuration, name string) (settings, error) {
	entry, ok := c.Connection(name)
	if !ok && name != workflow.DefaultConnection {
		return settings{}, p.unknownConnection(c, name)
	}
	s, err := p.configured(c, entry)
	if err == nil && name == workflow.DefaultConnection {
		err = p.overrideFromEnvironment(&s)
	}
	p.redactor.Add(s.apiKey, s.serviceKey)
	return s, err
}

func (p *program) unknownConnection(c *workflow.Configuration, name string) error {
	if c.File == "" {
		hint := "there is no configuration: write one and name it with --config"
		if usual := p.usualConfiguration(); usual != "" {
			hint = "there is no configuration: write " + usual
		}
		return fmt.Errorf("there is no connection %q (%s; or leave `connection` out and set PAGERDUTY_API_KEY)", name, hint)
	}
	hint := action.DidYouMean(name, c.Names())
	if hint == "" {
		hint = "it has: " + strings.Join(c.Names(), ", ")
	}
	return fmt.Errorf("there is no connection %q in %s (%s)", name, c.File, hint)
}

// configured are the settings of an entry of the configuration.
func (p *program) configured(c *workflow.Configuration, entry workflow.Connection) (s settings, err error) {
	s.region, s.apiURL, s.eventsURL = entry.Region, entry.APIURL, entry.EventsURL
	s.fromEmail, s.eventsAPI = entry.FromEmail, entry.EventsAPI
	if s.apiKey, err = p.referredKey(c.File, entry.APIKey); err != nil {
		return s, err
	}
	if s.serviceKey, err = p.referredKey(c.File, entry.ServiceKey); err != nil {
		return s, err
	}
	if entry.CAFile != "" {
		file := besideFile(c.File, entry.CAFile)
		if s.authorities, err = os.ReadFile(file); err != nil {
			return s, fmt.Errorf("%s: ca_file of the connection %s: %w", c.File, entry.Name, fileError(err, file))
		}
	}
	return s, nil
}

// referredKey reads the key that a configuration refers to. One that is not there
// is an error only where a call needs it, unless it is a file.
func (p *program) referredKey(file string, r workflow.SecretReference) (string, error) {
	if r.File == "" {
		return strings.TrimSpace(p.getenv(r.Variable)), nil
	}
	return p.keyFile(besideFile(file, r.File), fmt.Sprintf("%s:%d", file, r.Position.Line))
}

// besideFile is a path as a file names it: relative ones begin at its folder.
func besideFile(file, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

// overrideFromEnvironment puts what the environment says into the settings of the
// default connection.
func (p *program) overrideFromEnvironment(s *settings) error {
	apiKey, err := p.key(apiKeyVariables)
	if err != nil {
		return err
	}
	serviceKey, err := p.key(serviceKeyVariables)
	if err != nil {
		return err
	}
	s.apiKey, s.serviceKey = cmp.Or(apiKey, s.apiKey), cmp.Or(serviceKey, s.serviceKey)
	s.region = cmp.Or(p.getenv("PAGERDUTY_SERVICE_REGION"), s.region)
	s.apiURL, s.eventsURL = cmp.Or(p.getenv("PAGERDUTY_API_URL"), s.apiURL), cmp.Or(p.getenv("PAGERDUTY_EVENTS_URL"), s.eventsURL)
	s.fromEmail = cmp.Or(p.getenv("PAGERDUTY_FROM_EMAIL"), s.fromEmail)
	s.eventsAPI = cmp.Or(p.getenv("PAGERDUTY_EVENTS_API"), s.eventsAPI)
	if file := p.getenv("PAGERDUTY_CA_FILE"); file != "" {
		if s.authorities, err = os.ReadFile(file); err != nil {
			return fmt.Errorf("PAGERDUTY_CA_FILE: %w", fileError(err, file))
		}
	}
	return nil
}

func (s settings) client() (*pagerduty.Client, error) {
	c := pagerduty.Config{
		APIKey: s.apiKey, ServiceKey: s.serviceKey, FromEmail: s.fromEmail, CACertificates: s.authorities,
		Region: pagerduty.Region(s.region), APIURL: s.apiURL, EventsURL: s.eventsURL,
		EventsAPI: pagerduty.EventsVersion(s.eventsAPI), UserAgent: "pdflow/" + versionText(),
		Pacing: s.pacing, Wrap: builtins.Previewing,
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
