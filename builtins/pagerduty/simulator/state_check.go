package simulator

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// identifierShape is that of all identifiers: clients refuse others, so that a
// path cannot be made of one.
var identifierShape = regexp.MustCompile(`^[A-Z0-9]{1,32}$`)

// subdomainShape is a label of a host name.
var subdomainShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Validate reports every mistake as [Problems], or nil.
func (s State) Validate() error {
	v := stateChecker{state: s, identifiers: map[string]string{}, keys: map[string]string{}}
	v.checkAccount(s.Account)
	v.checkUsers()
	v.checkTokens()
	v.checkSchedules()
	v.checkPolicies()
	v.checkServices()
	v.checkOnCalls()
	v.checkIncidents()
	return v.problems.asError()
}

// stateChecker collects what is wrong with a state.
type stateChecker struct {
	state       State
	identifiers map[string]string // and the path of each
	keys        map[string]string
	problems    Problems
}

// field is a path under construction: list[i].name.
func field(list string, i int, name string) string { return join(index(list, i), name) }

// unique reports an identifier of a wrong shape, and one that is there twice.
func (v *stateChecker) unique(path, id string) {
	if id == "" {
		return
	}
	if !identifierShape.MatchString(id) {
		v.problems.add(path, "expected an identifier of capital letters and digits, such as PANN001")
		return
	}
	if first, ok := v.identifiers[id]; ok {
		v.problems.add(path, "the identifier %s is already that of %s", id, first)
		return
	}
	v.identifiers[id] = path
}

// uniqueKey is unique for keys, which no message quotes.
func (v *stateChecker) uniqueKey(path, key string) {
	if first, ok := v.keys[key]; ok {
		v.problems.add(path, "the key is already that of %s", first)
		return
	}
	v.keys[key] = path
}

// named reports an empty name, and one that another of the list has: references
// by name need one meaning.
func (v *stateChecker) named(list string, i int, name string, nameOf func(int) string) {
	if isBlank(name) {
		v.problems.add(field(list, i, "name"), "a name is required")
		return
	}
	for other := range i {
		if nameOf(other) == name {
			v.problems.add(field(list, i, "name"), "the name %s is already that of %s", quoted(name), index(list, other))
			return
		}
	}
}

// oneOf reports a word that is none of the known ones. An empty one is absent.
func oneOf[T ~string](v *stateChecker, path string, word T, known []T) {
	if word == "" || slices.Contains(known, word) {
		return
	}
	names := make([]string, 0, len(known))
	for _, name := range known {
		names = append(names, string(name))
	}
	v.problems.add(path, "%s is not known%s", quoted(string(word)), suggestion(string(word), names))
}

func (v *stateChecker) checkAccount(account StateAccount) {
	if account.Subdomain != "" && !subdomainShape.MatchString(account.Subdomain) {
		v.problems.add("account.subdomain", "expected lower-case letters, digits and dashes")
	}
	oneOf(v, "account.region", account.Region, []string{"us", "eu"})
}

func (v *stateChecker) checkUsers() {
	for i, user := range v.state.Users {
		v.unique(field("users", i, "id"), user.ID)
		checked := user.normalized()
		checked.Role = orDefault(checked.Role, defaultRole)
		for _, complaint := range checkUser(checked) {
			v.problems.add(index("users", i), "%s", complaint)
		}
		for other := range i {
			if checked.Email != "" && v.state.Users[other].normalized().Email == checked.Email {
				v.problems.add(field("users", i, "email"), "the address is already that of %s", index("users", other))
				break
			}
		}
	}
}

func (v *stateChecker) checkTokens() {
	for i, token := range v.state.Tokens {
		oneOf(v, field("tokens", i, "kind"), token.Kind, tokenKinds)
		path := field("tokens", i, "key")
		switch {
		case token.Key == "":
			v.problems.add(path, "a key is required")
		case strings.ContainsFunc(token.Key, func(c rune) bool { return c <= ' ' || c > '~' }):
			v.problems.add(path, "a key is of printable ASCII characters without spaces")
		default:
			v.uniqueKey(path, token.Key)
		}
		switch {
		case token.Kind == UserToken && token.User == "":
			v.problems.add(field("tokens", i, "user"), "a user token needs a user")
		case token.Kind != UserToken && token.User != "":
			v.problems.add(field("tokens", i, "user"), "only a token of kind user belongs to one")
		case token.User != "":
			v.checkUser(field("tokens", i, "user"), token.User)
		}
	}
}

func (v *stateChecker) checkSchedules() {
	for i, schedule := range v.state.Schedules {
		v.unique(field("schedules", i, "id"), schedule.ID)
		v.named("schedules", i, schedule.Name, func(j int) string { return v.state.Schedules[j].Name })
		if _, err := time.LoadLocation(schedule.TimeZone); err != nil || schedule.TimeZone == "Local" {
			v.problems.add(field("schedules", i, "time_zone"), "%s is no time zone; expected a name such as Europe/Berlin", quoted(schedule.TimeZone))
		}
		for j, user := range schedule.Users {
			v.checkUser(index(field("schedules", i, "users"), j), user)
		}
	}
}

func (v *stateChecker) checkPolicies() {
	for i, policy := range v.state.EscalationPolicies {
		v.unique(field("escalation_policies", i, "id"), policy.ID)
		v.named("escalation_policies", i, policy.Name, func(j int) string { return v.state.EscalationPolicies[j].Name })
		if len(policy.Rules) == 0 {
			v.problems.add(field("escalation_policies", i, "rules"), "at least one rule is required")
		}
		for j, rule := range policy.Rules {
			v.checkRule(index(field("escalation_policies", i, "rules"), j), rule)
		}
	}
}

func (v *stateChecker) checkRule(path string, rule EscalationRule) {
	if rule.DelayMinutes < 0 {
		v.problems.add(join(path, "delay_minutes"), "expected at least 1")
	}
	if len(rule.Users)+len(rule.Schedules) == 0 {
		v.problems.add(path, "a rule needs users or schedules")
	}
	for k, user := range rule.Users {
		v.checkUser(index(join(path, "users"), k), user)
	}
	for k, schedule := range rule.Schedules {
		v.checkSchedule(index(join(path, "schedules"), k), schedule)
	}
}

func (v *stateChecker) checkServices() {
	for i, service := range v.state.Services {
		v.unique(field("services", i, "id"), service.ID)
		v.named("services", i, service.Name, func(j int) string { return v.state.Services[j].Name })
		if service.EscalationPolicy != "" {
			v.checkPolicy(field("services", i, "escalation_policy"), service.EscalationPolicy)
		}
		for j, integration := range service.Integrations {
			v.checkIntegration(index(field("services", i, "integrations"), j), integration)
		}
	}
}

func (v *stateChecker) checkIntegration(path string, integration StateIntegration) {
	v.unique(join(path, "id"), integration.ID)
	oneOf(v, join(path, "accepts"), integration.Accepts, eventsVersions)
	switch {
	case integration.Key == "":
	case len(integration.Key) != serviceKeyLength || !isAlphanumeric(integration.Key):
		v.problems.add(join(path, "key"), "an integration key is of %d letters and digits, this one of %d characters", serviceKeyLength, len(integration.Key))
	default:
		v.uniqueKey(join(path, "key"), integration.Key)
	}
}

func (v *stateChecker) checkOnCalls() {
	for i, duty := range v.state.OnCalls {
		v.checkUser(field("on_calls", i, "user"), duty.User)
		v.checkPolicy(field("on_calls", i, "escalation_policy"), duty.EscalationPolicy)
		if duty.Schedule != "" {
			v.checkSchedule(field("on_calls", i, "schedule"), duty.Schedule)
		}
		if duty.Level < 0 {
			v.problems.add(field("on_calls", i, "level"), "expected at least 1")
		}
		if duty.Start != nil && duty.End != nil && !duty.Start.Before(*duty.End) {
			v.problems.add(field("on_calls", i, "end"), "expected a time after the start")
		}
	}
}

func (v *stateChecker) checkIncidents() {
	open := map[[2]string]int{}
	for i, incident := range v.state.Incidents {
		v.unique(field("incidents", i, "id"), incident.ID)
		v.checkService(field("incidents", i, "service"), incident.Service)
		oneOf(v, field("incidents", i, "status"), incident.Status, incidentStatuses)
		oneOf(v, field("incidents", i, "urgency"), incident.Urgency, urgencies)
		if isBlank(incident.Title) || isLonger(incident.Title, maximumDescriptionLength) {
			v.problems.add(field("incidents", i, "title"), "a title of 1 to %d characters is required", maximumDescriptionLength)
		}
		for j, user := range incident.Assignees {
			v.checkUser(index(field("incidents", i, "assignees"), j), user)
		}
		if incident.Key == "" || incident.Status == Resolved {
			continue
		}
		key := [2]string{incident.Service, incident.Key}
		if first, ok := open[key]; ok {
			v.problems.add(field("incidents", i, "key"), "%s of the same service is open under this key", index("incidents", first))
			continue
		}
		open[key] = i
	}
}
