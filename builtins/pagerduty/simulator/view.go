package simulator

import "slices"

// APIKey returns the first account API key: given, or else generated. It is empty
// when the state has only keys of other kinds.
func (s *Simulator) APIKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apiKey
}

// ServiceKey returns the integration key of the first service: given, or else
// generated.
func (s *Simulator) ServiceKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.serviceKey
}

// Requests returns the record of all requests in the order in which the account
// took them up.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Users returns the users of the account in the order of their creation.
func (s *Simulator) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.userViews()
}

func (s *Simulator) userViews() []User {
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
	return s.serviceViews()
}

func (s *Simulator) serviceViews() []Service {
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
	s.settle()
	return s.incidentViews()
}

func (s *Simulator) incidentViews() []Incident {
	incidents := make([]Incident, 0, len(s.incidents.entries))
	for _, entry := range s.incidents.entries {
		incidents = append(incidents, entry.clone().Incident)
	}
	return incidents
}

// ChangeEvents returns the change events in the order of their arrival.
func (s *Simulator) ChangeEvents() []ChangeEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]ChangeEvent{}, s.changes...)
}

// Faults returns the rules of the fault plan with their counters, in their order.
func (s *Simulator) Faults() []FaultCount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.counts()
}

// Deliveries returns all attempts to deliver webhooks in the order of their ends.
func (s *Simulator) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Delivery{}, s.webhooks.deliveries...)
}
