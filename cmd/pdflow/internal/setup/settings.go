package setup

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

// Settings are which PagerDuty a connection leads to, and as whom.
type Settings struct {
	APIKey, ServiceKey string
	region             string
	APIURL, eventsURL  string
	fromEmail          string
	eventsAPI          string
	authorities        []byte // certificates to trust beside the system's, in PEM
	Clock              Clock  // of a simulated PagerDuty; nil for the machine's
	pacing             *pagerduty.Pacing
}

// A Clock is the time that a client lives in.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// settingsOf reads the settings of a connection: those of the configuration, and
// for the default one those of the environment, which win. Keys are made known to
// the redactor at once.
func (p *Environment) settingsOf(c *workflow.Configuration, name string) (Settings, error) {
	entry, ok := c.Connection(name)
	if !ok && name != workflow.DefaultConnection {
		return Settings{}, p.unknownConnection(c, name)
	}
	s, err := p.configured(c, entry)
	if err == nil && name == workflow.DefaultConnection {
		err = p.overrideFromEnvironment(&s)
	}
	p.Redactor.Add(s.APIKey, s.ServiceKey)
	return s, err
}

func (p *Environment) unknownConnection(c *workflow.Configuration, name string) error {
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
func (p *Environment) configured(c *workflow.Configuration, entry workflow.Connection) (s Settings, err error) {
	s.region, s.APIURL, s.eventsURL = entry.Region, entry.APIURL, entry.EventsURL
	s.fromEmail, s.eventsAPI = entry.FromEmail, entry.EventsAPI
	if s.APIKey, err = p.referredKey(c.File, entry.APIKey); err != nil {
		return s, err
	}
	if s.ServiceKey, err = p.referredKey(c.File, entry.ServiceKey); err != nil {
		return s, err
	}
	if entry.CAFile != "" {
		file := besideFile(c.File, entry.CAFile)
		if s.authorities, err = os.ReadFile(file); err != nil {
			return s, fmt.Errorf("%s: ca_file of the connection %s: %w", c.File, entry.Name, FileError(err, file))
		}
	}
	return s, nil
}

// referredKey reads the key that a configuration refers to. One that is not there
// is an error only where a call needs it, unless it is a file.
func (p *Environment) referredKey(file string, r workflow.SecretReference) (string, error) {
	if r.File == "" {
		return strings.TrimSpace(p.Getenv(r.Variable)), nil
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
func (p *Environment) overrideFromEnvironment(s *Settings) error {
	apiKey, err := p.key(APIKeyVariables)
	if err != nil {
		return err
	}
	serviceKey, err := p.key(ServiceKeyVariables)
	if err != nil {
		return err
	}
	s.APIKey, s.ServiceKey = cmp.Or(apiKey, s.APIKey), cmp.Or(serviceKey, s.ServiceKey)
	s.region = cmp.Or(p.Getenv("PAGERDUTY_SERVICE_REGION"), s.region)
	s.APIURL, s.eventsURL = cmp.Or(p.Getenv("PAGERDUTY_API_URL"), s.APIURL), cmp.Or(p.Getenv("PAGERDUTY_EVENTS_URL"), s.eventsURL)
	s.fromEmail = cmp.Or(p.Getenv("PAGERDUTY_FROM_EMAIL"), s.fromEmail)
	s.eventsAPI = cmp.Or(p.Getenv("PAGERDUTY_EVENTS_API"), s.eventsAPI)
	if file := p.Getenv("PAGERDUTY_CA_FILE"); file != "" {
		if s.authorities, err = os.ReadFile(file); err != nil {
			return fmt.Errorf("PAGERDUTY_CA_FILE: %w", FileError(err, file))
		}
	}
	return nil
}

func (s Settings) Client() (*pagerduty.Client, error) {
	c := pagerduty.Config{
		APIKey: s.APIKey, ServiceKey: s.ServiceKey, FromEmail: s.fromEmail, CACertificates: s.authorities,
		Region: pagerduty.Region(s.region), APIURL: s.APIURL, EventsURL: s.eventsURL,
		EventsAPI: pagerduty.EventsVersion(s.eventsAPI), UserAgent: "pdflow/" + VersionText(),
		Pacing: s.pacing, Wrap: builtins.Previewing,
	}
	if s.Clock != nil {
		c.Sleep, c.Now = s.Clock.Sleep, s.Clock.Now
	}
	return pagerduty.New(c)
}
