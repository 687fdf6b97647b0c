package account

import (
	"cmp"
	"fmt"
	"strings"
)

const (
	// defaultServiceName is the name of the service that is generated when the
	// configuration has none.
	defaultServiceName = "Default Service"
	// defaultIntegrationName is the name of an integration that is given none.
	defaultIntegrationName = "Events API"
)

// ServiceView is a service as callers outside the simulator see it.
type ServiceView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Service receives events and groups their incidents. It never changes after it is
// made.
type Service struct {
	ServiceView
	PolicyID     string
	Integrations []*Integration
}

// Integration is one way to reach a service: a key that events carry.
type Integration struct {
	ID      string
	Name    string
	Key     string
	Accepts EventsVersion
	Service *Service
}

// EventsVersion is an Events API, or both.
type EventsVersion string

// The Events APIs that an integration key can be for.
const (
	EventsV1   EventsVersion = "v1"
	EventsV2   EventsVersion = "v2"
	EventsBoth EventsVersion = "both"
)

// eventsVersions is in the order in which messages list them.
var eventsVersions = []EventsVersion{EventsV1, EventsV2, EventsBoth}

// Services are the services of an account in the order of their creation.
type Services struct{ entries []*Service }

// Views returns the services as callers outside the simulator see them.
func (s *Services) Views() []ServiceView {
	views := make([]ServiceView, 0, len(s.entries))
	for _, entry := range s.entries {
		views = append(views, entry.ServiceView)
	}
	return views
}

// ByID returns the service with an ID, or nil.
func (s *Services) ByID(id string) *Service {
	return s.find(func(entry *Service) bool { return entry.ID == id })
}

func (s *Services) find(wanted func(*Service) bool) *Service {
	for _, entry := range s.entries {
		if wanted(entry) {
			return entry
		}
	}
	return nil
}

// Matching returns the services whose name contains query, regardless of case.
func (s *Services) Matching(query string) []*Service {
	query = strings.ToLower(query)
	var found []*Service
	for _, entry := range s.entries {
		if strings.Contains(strings.ToLower(entry.Name), query) {
			found = append(found, entry)
		}
	}
	return found
}

// Of returns the services of an escalation policy.
func (s *Services) Of(policyID string) []*Service {
	var found []*Service
	for _, entry := range s.entries {
		if entry.PolicyID == policyID {
			found = append(found, entry)
		}
	}
	return found
}

// Keys returns the integration keys in the order of their creation.
func (s *Services) Keys() []string {
	keys := make([]string, 0, len(s.entries))
	for _, entry := range s.entries {
		for _, integration := range entry.Integrations {
			keys = append(keys, integration.Key)
		}
	}
	return keys
}

// byKey returns the integration with a key, or nil.
func (s *Services) byKey(key string) *Integration {
	for _, entry := range s.entries {
		for _, integration := range entry.Integrations {
			if integration.Key == key {
				return integration
			}
		}
	}
	return nil
}

// Integration returns what a well-formed integration key reaches with a version of the
// Events API, EventsV1 or EventsV2. A lenient account makes a service for a key that it
// does not know. A key for the other version is refused like an unknown one ([unknown,
// safe reading]): guides distinguish the two kinds, and none says that a key works with
// both.
func (a *Account) Integration(key string, version EventsVersion) (*Integration, bool) {
	if found := a.Services.byKey(key); found != nil {
		return found, found.Accepts == EventsBoth || found.Accepts == version
	}
	if !a.config.LenientServiceKeys {
		return nil, false
	}
	name := fmt.Sprintf("Service %d", len(a.Services.entries)+1)
	return a.addService(name, key), true
}

// addService adds a service that all events reach with one key.
func (a *Account) addService(name, key string) *Integration {
	added := &Service{ServiceView: ServiceView{ID: a.Identifiers.Resource(), Name: name}, PolicyID: a.Policies.firstID()}
	a.Services.entries = append(a.Services.entries, added)
	return a.addIntegration(added, StateIntegration{Key: key})
}

// addIntegration adds an integration to a service that was just made.
func (a *Account) addIntegration(to *Service, given StateIntegration) *Integration {
	if given.ID == "" {
		given.ID = a.Identifiers.Of("integration", "P", 6)
	}
	if given.Key == "" {
		given.Key = a.Identifiers.ServiceKey()
	}
	added := &Integration{
		ID:      given.ID,
		Name:    cmp.Or(given.Name, defaultIntegrationName),
		Key:     given.Key,
		Accepts: cmp.Or(given.Accepts, EventsBoth),
		Service: to,
	}
	to.Integrations = append(to.Integrations, added)
	return added
}
