package simulator

import (
	"fmt"
	"strings"
)

// defaultServiceName is the name of the service that is generated when no
// option adds one.
const defaultServiceName = "Default Service"

// defaultIntegrationName is that of an integration made without one.
const defaultIntegrationName = "Events API"

// Service receives events and groups their incidents.
type Service struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// service is a Service with what the account keeps besides. It does not change.
type service struct {
	Service
	policyID     string
	integrations []*integration
}

// integration is one way to reach a service: a key that events carry.
type integration struct {
	id      string
	name    string
	key     string
	accepts EventsVersion
	service *service
}

// catalogue is the services of an account in the order of their creation.
type catalogue struct {
	entries []*service
}

// byKey returns the integration with a key, or nil.
func (c *catalogue) byKey(key string) *integration {
	for _, entry := range c.entries {
		for _, integration := range entry.integrations {
			if integration.key == key {
				return integration
			}
		}
	}
	return nil
}

// byID returns the service with an ID, or nil.
func (c *catalogue) byID(id string) *service {
	return c.find(func(entry *service) bool { return entry.ID == id })
}

func (c *catalogue) find(wanted func(*service) bool) *service {
	for _, entry := range c.entries {
		if wanted(entry) {
			return entry
		}
	}
	return nil
}

func (c *catalogue) keys() []string {
	keys := make([]string, 0, len(c.entries))
	for _, entry := range c.entries {
		for _, integration := range entry.integrations {
			keys = append(keys, integration.key)
		}
	}
	return keys
}

// addService adds a service that all events reach with one key.
func (s *Simulator) addService(name, key string) *integration {
	added := &service{Service: Service{ID: s.identifiers.resource(), Name: name}, policyID: s.firstPolicyID()}
	s.services.entries = append(s.services.entries, added)
	return s.addIntegration(added, StateIntegration{Key: key})
}

// addIntegration adds a way to reach a service that was just made.
func (s *Simulator) addIntegration(to *service, given StateIntegration) *integration {
	if given.ID == "" {
		given.ID = s.identifiers.of("integration", "P", 6)
	}
	if given.Key == "" {
		given.Key = s.identifiers.serviceKey()
	}
	added := &integration{
		id:      given.ID,
		name:    orDefault(given.Name, defaultIntegrationName),
		key:     given.Key,
		accepts: EventsVersion(orDefault(string(given.Accepts), string(EventsBoth))),
		service: to,
	}
	to.integrations = append(to.integrations, added)
	return added
}

// integrationFor returns what a well-formed integration key reaches with a
// version of the Events API. A lenient account makes a service for a key that it
// does not know. That a key of the other version is refused like an unknown one
// is [unknown, safe reading]: guides tell the kinds apart, and none says that
// they can be exchanged.
func (s *Simulator) integrationFor(key string, version EventsVersion) (*integration, bool) {
	if found := s.services.byKey(key); found != nil {
		return found, found.accepts.accepts(version)
	}
	if !s.settings.lenientServiceKeys {
		return nil, false
	}
	name := fmt.Sprintf("Service %d", len(s.services.entries)+1)
	return s.addService(name, key), true
}

// matching returns the services whose name contains query, regardless of case.
func (c *catalogue) matching(query string) []*service {
	query = strings.ToLower(query)
	var found []*service
	for _, entry := range c.entries {
		if strings.Contains(strings.ToLower(entry.Name), query) {
			found = append(found, entry)
		}
	}
	return found
}
