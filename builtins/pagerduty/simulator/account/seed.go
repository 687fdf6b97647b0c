package account

import (
	"cmp"
	"time"
)

// seeder puts a configuration and its state into an account that is empty.
type seeder struct{ *Account }

func (a seeder) seed() {
	state := a.config.State
	a.Site = newSite(state.Account)
	a.Abilities = defaultAbilities
	if state.Account.Abilities != nil {
		a.Abilities = state.Account.Abilities
	}
	a.reserveIdentifiers(state)
	a.seedUsers()
	a.seedTokens(state.Tokens)
	a.seedSchedules(state.Schedules)
	a.seedPolicies(state.EscalationPolicies)
	a.seedServices(state.Services)
	a.seedOnCalls(state.OnCalls)
	a.seedIncidents(state.Incidents)
}

// reserveIdentifiers keeps the identifiers that the configuration chose from being
// generated.
func (a seeder) reserveIdentifiers(state State) {
	for _, user := range a.config.Users {
		a.Identifiers.Reserve(user.ID)
	}
	for _, schedule := range state.Schedules {
		a.Identifiers.Reserve(schedule.ID)
	}
	for _, policy := range state.EscalationPolicies {
		a.Identifiers.Reserve(policy.ID)
	}
	for _, service := range state.Services {
		a.Identifiers.Reserve(service.ID)
		for _, integration := range service.Integrations {
			a.Identifiers.Reserve(integration.ID)
		}
	}
	for _, incident := range state.Incidents {
		a.Identifiers.Reserve(incident.ID)
	}
}

func (a seeder) seedUsers() {
	for _, user := range a.config.Users {
		user.Role = cmp.Or(user.Role, DefaultRole)
		a.Users.replace(a.newMember(user.normalized()))
	}
	if len(a.Users.members) > 0 {
		a.defaultOnCall = a.Users.members[0].ID
	}
}

// seedTokens adds the keys of the state, then the keys of the configuration.
func (a seeder) seedTokens(given []StateToken) {
	for _, token := range given {
		a.tokens[token.Key] = Token{Kind: cmp.Or(token.Kind, AccountToken), UserID: a.userNamed(token.User)}
	}
	for _, key := range a.config.AccountKeys {
		a.tokens[key] = Token{Kind: AccountToken}
	}
	for _, of := range a.config.UserKeys {
		a.tokens[of.Key] = Token{Kind: UserToken, UserID: of.UserID}
	}
}

func (a seeder) seedSchedules(given []Schedule) {
	for _, schedule := range given {
		schedule.ID = cmp.Or(schedule.ID, a.Identifiers.Of("schedule", "P", 6))
		schedule.TimeZone = cmp.Or(schedule.TimeZone, defaultTimeZone)
		schedule.Users = a.usersNamed(schedule.Users)
		a.Schedules.entries = append(a.Schedules.entries, &schedule)
	}
}

func (a seeder) seedPolicies(given []EscalationPolicy) {
	if given == nil {
		given = []EscalationPolicy{{Name: defaultPolicyName}}
	}
	for _, policy := range given {
		policy.ID = cmp.Or(policy.ID, a.Identifiers.Of("escalation policy", "P", 6))
		policy.Rules = Each(policy.Rules, func(rule EscalationRule) EscalationRule {
			rule.Users = a.usersNamed(rule.Users)
			rule.Schedules = Each(rule.Schedules, a.scheduleNamed)
			return rule
		})
		a.Policies.entries = append(a.Policies.entries, &policy)
	}
}

// seedServices adds the services of the configuration, then the services of the state.
func (a seeder) seedServices(given []StateService) {
	for _, named := range a.config.Services {
		a.addService(named.Name, named.Key)
	}
	for _, wanted := range given {
		added := &Service{
			ServiceView: ServiceView{ID: cmp.Or(wanted.ID, a.Identifiers.Of("service", "P", 6)), Name: wanted.Name},
			PolicyID:    a.Policies.firstID(),
		}
		if wanted.EscalationPolicy != "" {
			added.PolicyID = a.policyNamed(wanted.EscalationPolicy)
		}
		a.Services.entries = append(a.Services.entries, added)
		if wanted.Integrations == nil {
			wanted.Integrations = []StateIntegration{{}}
		}
		for _, integration := range wanted.Integrations {
			a.addIntegration(added, integration)
		}
	}
}

func (a seeder) seedOnCalls(given []OnCall) {
	if given == nil {
		return
	}
	a.onCalls = []OnCall{}
	for _, duty := range given {
		duty.User = a.userNamed(duty.User)
		duty.EscalationPolicy = a.policyNamed(duty.EscalationPolicy)
		duty.Level = cmp.Or(duty.Level, 1)
		if duty.Schedule != "" {
			duty.Schedule = a.scheduleNamed(duty.Schedule)
		}
		a.onCalls = append(a.onCalls, duty)
	}
}

// seedIncidents adds the incidents of the state, as events would have left them.
func (a seeder) seedIncidents(given []StateIncident) {
	for _, wanted := range given {
		at := a.openedAt(wanted)
		key := wanted.Key
		if key == "" {
			key = a.Identifiers.IncidentKey()
		}
		service := find(a.Services.entries, func(v *Service) bool { return v.ID == wanted.Service || v.Name == wanted.Service })
		added := a.newIncident(service, key, wanted.Title, at)
		added.ID = cmp.Or(wanted.ID, added.ID)
		added.Urgency = cmp.Or(wanted.Urgency, defaultUrgency)
		if wanted.Assignees != nil {
			added.Assignees = a.usersNamed(wanted.Assignees)
		}
		actions := []EventAction{Trigger}
		switch wanted.Status {
		case Acknowledged:
			actions = append(actions, Acknowledge)
		case Resolved:
			actions = append(actions, Resolve)
		}
		for _, action := range actions {
			a.record(added, LogEntry{Type: string(action), Description: wanted.Title, At: at}, ChannelAPI, "")
		}
		added.enter(cmp.Or(wanted.Status, Triggered), "", at)
		a.Incidents.add(added)
	}
}

// openedAt returns the time at which an incident of the state was opened.
func (a seeder) openedAt(wanted StateIncident) time.Time {
	if wanted.CreatedAt != nil {
		return wanted.CreatedAt.UTC()
	}
	return a.config.Glance()
}

// usersNamed returns the IDs of users, each once.
func (a seeder) usersNamed(names []string) []string { return unique(Each(names, a.userNamed)) }

// userNamed returns the ID of a user by ID or address. The functions below return the
// IDs of other resources by ID or name. The state is valid, so they exist.
func (a seeder) userNamed(name string) string {
	found := find(a.Users.members, func(m *Member) bool { return m.ID == name || m.Email == NormalizedEmail(name) })
	if found == nil {
		return ""
	}
	return found.ID
}

func (a seeder) scheduleNamed(name string) string {
	return find(a.Schedules.entries, func(v *Schedule) bool { return v.ID == name || v.Name == name }).ID
}

func (a seeder) policyNamed(name string) string {
	return find(a.Policies.entries, func(v *EscalationPolicy) bool { return v.ID == name || v.Name == name }).ID
}
