package account

import (
	"cmp"
	"fmt"
)

const (
	// defaultServiceName is the name of the service that is generated when the
	// configuration lists no services.
	defaultServiceName = "Default Service"
	// defaultIntegrationName is used when an integration has no name.
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

// EventsVersion says which version of the Events API an integration key is for.
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
	return Each(s.entries, func(entry *Service) ServiceView { return entry.ServiceView })
}

// ByID returns the service with an ID, or nil.
func (s *Services) ByID(id string) *Service {
	return find(s.entries, func(entry *Service) bool { return entry.ID == id })
}

// Matching returns the services whose name contains query, regardless of case.
func (s *Services) Matching(query string) []*Service {
	return Filter(s.entries, func(entry *Service) bool { return contains(entry.Name, query) })
}

// Of returns the services of an escalation policy.
func (s *Services) Of(policyID string) []*Service {
	return Filter(s.entries, func(entry *Service) bool { return entry.PolicyID == policyID })
}

// Keys returns the integration keys in the order of their creation.
func (s *Services) Keys() []string {
	return Each(s.integrations(), func(i *Integration) string { return i.Key })
}

func (s *Services) integrations() []*Integration {
	var found []*Integration
	for _, entry := range s.entries {
		found = append(found, entry.Integrations...)
	}
	return found
}

// Integration returns what a well-formed integration key reaches with a version of the
// Events API, EventsV1 or EventsV2. A lenient account makes a service for a key that it
// does not know. A key for the other version is refused like an unknown one ([unknown,
// safe reading]): guides distinguish the two kinds, and none says that a key works with
// both.
func (a *Account) Integration(key string, version EventsVersion) (*Integration, bool) {
	if found := find(a.Services.integrations(), func(i *Integration) bool { return i.Key == key }); found != nil {
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
