package simulator

import (
	"cmp"
	"slices"
	"time"
)

// seed puts the options and the state into an account that is empty.
func (s *Simulator) seed() {
	state := s.settings.state
	s.site = newSite(state.Account)
	s.abilities = defaultAbilities
	if state.Account.Abilities != nil {
		s.abilities = state.Account.Abilities
	}
	s.reserveIdentifiers(state)
	s.seedUsers()
	s.seedTokens(state.Tokens)
	s.seedSchedules(state.Schedules)
	s.seedPolicies(state.EscalationPolicies)
	s.seedServices(state.Services)
	s.seedOnCalls(state.OnCalls)
	s.seedIncidents(state.Incidents)
}

// reserveIdentifiers keeps what the state chose from being generated.
func (s *Simulator) reserveIdentifiers(state State) {
	for _, user := range s.settings.users {
		s.identifiers.reserve(user.ID)
	}
	for _, schedule := range state.Schedules {
		s.identifiers.reserve(schedule.ID)
	}
	for _, policy := range state.EscalationPolicies {
		s.identifiers.reserve(policy.ID)
	}
	for _, service := range state.Services {
		s.identifiers.reserve(service.ID)
		for _, integration := range service.Integrations {
			s.identifiers.reserve(integration.ID)
		}
	}
	for _, incident := range state.Incidents {
		s.identifiers.reserve(incident.ID)
	}
}

func (s *Simulator) seedUsers() {
	for _, user := range s.settings.users {
		user.Role = orDefault(user.Role, defaultRole)
		s.users.replace(s.newMember(user.normalized()))
	}
	s.incidents.onCall = s.users.firstID()
}

// seedTokens adds the keys of the state and of the options. Only when there is
// none for the account is one generated.
func (s *Simulator) seedTokens(given []StateToken) {
	if len(s.settings.accountKeys) == 0 && given == nil {
		s.settings.accountKeys = []string{s.identifiers.apiKey()}
	}
	var first string
	for _, key := range given {
		kind := TokenKind(orDefault(string(key.Kind), string(AccountToken)))
		if kind == AccountToken {
			first = orDefault(first, key.Key)
		}
		s.tokens[key.Key] = token{kind: kind, userID: s.userNamed(key.User)}
	}
	for _, key := range s.settings.accountKeys {
		s.tokens[key] = token{kind: AccountToken}
	}
	for _, given := range s.settings.userKeys {
		s.tokens[given.key] = token{kind: UserToken, userID: given.userID}
	}
	s.apiKey = first
	if len(s.settings.accountKeys) > 0 {
		s.apiKey = s.settings.accountKeys[0]
	}
}

func (s *Simulator) seedSchedules(given []Schedule) {
	for _, schedule := range given {
		schedule.ID = cmp.Or(schedule.ID, s.identifiers.of("schedule", "P", 6))
		schedule.TimeZone = orDefault(schedule.TimeZone, defaultTimeZone)
		schedule.Users = s.usersNamed(schedule.Users)
		s.schedules = append(s.schedules, schedule)
	}
}

func (s *Simulator) seedPolicies(given []EscalationPolicy) {
	if given == nil {
		given = []EscalationPolicy{{Name: defaultPolicyName}}
	}
	for _, policy := range given {
		policy.ID = cmp.Or(policy.ID, s.identifiers.of("escalation policy", "P", 6))
		rules := make([]EscalationRule, 0, len(policy.Rules))
		for _, rule := range policy.Rules {
			rule.Users = s.usersNamed(rule.Users)
			rule.Schedules = each(rule.Schedules, s.scheduleNamed)
			rules = append(rules, rule)
		}
		policy.Rules = rules
		s.policies = append(s.policies, policy)
	}
}

// seedServices adds the services of the state and of the options. Only when
// neither has any is one generated.
func (s *Simulator) seedServices(given []StateService) {
	if len(s.settings.serviceKeys) == 0 && given == nil {
		generated := namedKey{name: defaultServiceName, key: s.identifiers.serviceKey()}
		s.settings.serviceKeys = []namedKey{generated}
	}
	for _, named := range s.settings.serviceKeys {
		s.addService(named.name, named.key)
	}
	for _, wanted := range given {
		s.seedService(wanted)
	}
	s.serviceKey = ""
	if keys := s.services.keys(); len(keys) > 0 {
		s.serviceKey = keys[0]
	}
}

func (s *Simulator) seedService(wanted StateService) {
	added := &service{
		Service:  Service{ID: cmp.Or(wanted.ID, s.identifiers.of("service", "P", 6)), Name: wanted.Name},
		policyID: s.firstPolicyID(),
	}
	if wanted.EscalationPolicy != "" {
		added.policyID = s.policyNamed(wanted.EscalationPolicy)
	}
	s.services.entries = append(s.services.entries, added)
	if wanted.Integrations == nil {
		wanted.Integrations = []StateIntegration{{}}
	}
	for _, integration := range wanted.Integrations {
		s.addIntegration(added, integration)
	}
}

func (s *Simulator) seedOnCalls(given []OnCall) {
	if given == nil {
		return
	}
	s.onCalls = []OnCall{}
	for _, duty := range given {
		duty.User = s.userNamed(duty.User)
		duty.EscalationPolicy = s.policyNamed(duty.EscalationPolicy)
		duty.Level = cmp.Or(duty.Level, 1)
		if duty.Schedule != "" {
			duty.Schedule = s.scheduleNamed(duty.Schedule)
		}
		s.onCalls = append(s.onCalls, duty)
	}
}

// seedIncidents adds the incidents of the state, as events would have left them.
func (s *Simulator) seedIncidents(given []StateIncident) {
	for _, wanted := range given {
		at := s.openedAt(wanted)
		key := wanted.Key
		if key == "" {
			key = s.identifiers.incidentKey()
		}
		added := s.newIncident(s.serviceNamed(wanted.Service), key, wanted.Title, at)
		added.ID = cmp.Or(wanted.ID, added.ID)
		added.urgency = cmp.Or(wanted.Urgency, defaultUrgency)
		if wanted.Assignees != nil {
			added.assignees = s.usersNamed(wanted.Assignees)
		}
		actions := []eventAction{trigger}
		switch wanted.Status {
		case Acknowledged:
			actions = append(actions, acknowledge)
		case Resolved:
			actions = append(actions, resolve)
		}
		for _, action := range actions {
			s.record(added, LogEntry{Type: string(action), Description: wanted.Title, At: at}, channelAPI, "")
		}
		added.enter(cmp.Or(wanted.Status, Triggered), at)
		s.incidents.add(added)
	}
}

// openedAt is when an incident of the state began.
func (s *Simulator) openedAt(wanted StateIncident) time.Time {
	if wanted.CreatedAt != nil {
		return wanted.CreatedAt.UTC()
	}
	return s.timeline.glance()
}

// usersNamed returns the IDs of users, each once.
func (s *Simulator) usersNamed(names []string) []string {
	var ids []string
	for _, id := range each(names, s.userNamed) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// userNamed returns the ID of a user by ID or address, and the functions below
// those of other resources by ID or name. The state has been validated, so that
// they are found.
func (s *Simulator) userNamed(name string) string {
	found := s.users.find(func(m *member) bool { return m.ID == name || m.Email == normalizedEmail(name) })
	if found == nil {
		return ""
	}
	return found.ID
}

func (s *Simulator) scheduleNamed(name string) string {
	i := slices.IndexFunc(s.schedules, func(v Schedule) bool { return v.ID == name || v.Name == name })
	return s.schedules[i].ID
}

func (s *Simulator) policyNamed(name string) string {
	i := slices.IndexFunc(s.policies, func(v EscalationPolicy) bool { return v.ID == name || v.Name == name })
	return s.policies[i].ID
}

func (s *Simulator) serviceNamed(name string) *service {
	return s.services.find(func(v *service) bool { return v.ID == name || v.Name == name })
}

// each applies a function to all.
func each(names []string, apply func(string) string) []string {
	var results []string
	for _, name := range names {
		results = append(results, apply(name))
	}
	return results
}
