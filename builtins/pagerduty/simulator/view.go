package simulator

import "slices"

// Request is the record of one answered request. It never holds a key.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"` // with the query
	Status int    `json:"status"`
}

// APIKey returns the first account API key: given, or else generated.
func (s *Simulator) APIKey() string { return s.apiKey }

// ServiceKey returns the integration key of the first service: given, or else
// generated.
func (s *Simulator) ServiceKey() string { return s.serviceKey }

// Requests returns the record of all requests in the order of their answers.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Users returns the users of the account in the order of their creation.
func (s *Simulator) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	users := make([]User, 0, len(s.users.members))
	for _, member := range s.users.members {
		users = append(users, member.User)
	}
	return users
}

// Services returns the services of the account in the order of their creation.
func (s *Simulator) Services() []Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	services := make([]Service, 0, len(s.services.entries))
	for _, entry := range s.services.entries {
		services = append(services, entry.Service)
	}
	return services
}

// Incidents returns all incidents, resolved ones too, in the order in which
// they were opened.
func (s *Simulator) Incidents() []Incident {
	s.mu.Lock()
	defer s.mu.Unlock()
	incidents := make([]Incident, 0, len(s.incidents.entries))
	for _, entry := range s.incidents.entries {
		incident := entry.Incident
		incident.Log = slices.Clone(entry.Log)
		incidents = append(incidents, incident)
	}
	return incidents
}
