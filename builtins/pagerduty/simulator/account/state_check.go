package account

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/seeded"
	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/strictjson"
)

// identifierShape matches identifiers. Clients refuse all others, because an identifier
// becomes part of a path.
var identifierShape = regexp.MustCompile(`^[A-Z0-9]{1,32}$`)

// subdomainShape matches a label of a host name.
var subdomainShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Validate returns every mistake as [strictjson.Problems], or nil.
func (s State) Validate() error {
	v := stateChecker{state: s, identifiers: map[string]string{}, keys: map[string]string{}, names: map[[2]string]string{}}
	v.checkAccount(s.Account)
	v.checkUsers()
	v.checkTokens()
	v.checkSchedules()
	v.checkPolicies()
	v.checkServices()
	v.checkOnCalls()
	v.checkIncidents()
	return v.problems.Err()
}

// stateChecker collects the mistakes of a state.
type stateChecker struct {
	state       State
	identifiers map[string]string // and the path of each
	keys        map[string]string
	names       map[[2]string]string // by list and name
	problems    strictjson.Problems
}

// field returns the path list[i].name.
func field(list string, i int, name string) string {
	return strictjson.Join(strictjson.Index(list, i), name)
}

// unique reports an identifier that has a wrong shape or occurs twice.
func (v *stateChecker) unique(path, id string) {
	switch first, ok := v.identifiers[id]; {
	case id == "":
	case !identifierShape.MatchString(id):
		v.problems.Add(path, "expected an identifier of capital letters and digits, such as PANN001")
	case ok:
		v.problems.Add(path, "%s already has the identifier %s", first, id)
	default:
		v.identifiers[id] = path
	}
}

// uniqueKey reports a key that occurs twice. The message does not quote the key.
func (v *stateChecker) uniqueKey(path, key string) {
	if first, ok := v.keys[key]; ok {
		v.problems.Add(path, "%s already has the key", first)
		return
	}
	v.keys[key] = path
}

// named reports a name that is empty or that another element of the list has, because a
// reference by name must have one meaning.
func (v *stateChecker) named(list string, i int, name string) {
	key := [2]string{list, name}
	switch first, ok := v.names[key]; {
	case IsBlank(name):
		v.problems.Add(field(list, i, "name"), "a name is required")
	case ok:
		v.problems.Add(field(list, i, "name"), "%s already has the name %s", first, strictjson.Quote(name))
	default:
		v.names[key] = strictjson.Index(list, i)
	}
}

// oneOf reports a word that is not known. An empty word counts as absent.
func oneOf[T ~string](v *stateChecker, path string, word T, known []T) {
	if word == "" || slices.Contains(known, word) {
		return
	}
	v.problems.Add(path, "%s is not known%s", strictjson.Quote(string(word)), strictjson.Suggestion(word, known))
}

func (v *stateChecker) checkAccount(account StateAccount) {
	if account.Subdomain != "" && !subdomainShape.MatchString(account.Subdomain) {
		v.problems.Add("account.subdomain", "expected lower-case letters, digits and dashes")
	}
	oneOf(v, "account.region", account.Region, []string{"us", "eu"})
}

func (v *stateChecker) checkUsers() {
	for i, user := range v.state.Users {
		v.unique(field("users", i, "id"), user.ID)
		checked := user.normalized()
		checked.Role = cmp.Or(checked.Role, DefaultRole)
		for _, complaint := range checked.check() {
			v.problems.Add(strictjson.Index("users", i), "%s", complaint)
		}
		sameEmail := func(other User) bool { return other.normalized().Email == checked.Email }
		if other := slices.IndexFunc(v.state.Users[:i], sameEmail); other >= 0 && checked.Email != "" {
			v.problems.Add(field("users", i, "email"), "%s already has the address", strictjson.Index("users", other))
		}
	}
}

func (v *stateChecker) checkTokens() {
	for i, token := range v.state.Tokens {
		oneOf(v, field("tokens", i, "kind"), token.Kind, tokenKinds)
		path := field("tokens", i, "key")
		switch {
		case token.Key == "":
			v.problems.Add(path, "a key is required")
		case strings.ContainsFunc(token.Key, func(c rune) bool { return c <= ' ' || c > '~' }):
			v.problems.Add(path, "a key is of printable ASCII characters without spaces")
		default:
			v.uniqueKey(path, token.Key)
		}
		switch {
		case token.Kind == UserToken && token.User == "":
			v.problems.Add(field("tokens", i, "user"), "a user token needs a user")
		case token.Kind != UserToken && token.User != "":
			v.problems.Add(field("tokens", i, "user"), "only a token of kind user belongs to a user")
		case token.User != "":
			v.checkUser(field("tokens", i, "user"), token.User)
		}
	}
}

func (v *stateChecker) checkSchedules() {
	for i, schedule := range v.state.Schedules {
		v.unique(field("schedules", i, "id"), schedule.ID)
		v.named("schedules", i, schedule.Name)
		if _, err := time.LoadLocation(schedule.TimeZone); err != nil || schedule.TimeZone == "Local" {
			v.problems.Add(field("schedules", i, "time_zone"), "%s is not a time zone; expected a name such as Europe/Berlin", strictjson.Quote(schedule.TimeZone))
		}
		for j, user := range schedule.Users {
			v.checkUser(strictjson.Index(field("schedules", i, "users"), j), user)
		}
	}
}

func (v *stateChecker) checkPolicies() {
	for i, policy := range v.state.EscalationPolicies {
		v.unique(field("escalation_policies", i, "id"), policy.ID)
		v.named("escalation_policies", i, policy.Name)
		if len(policy.Rules) == 0 {
			v.problems.Add(field("escalation_policies", i, "rules"), "at least one rule is required")
		}
		for j, rule := range policy.Rules {
			v.checkRule(strictjson.Index(field("escalation_policies", i, "rules"), j), rule)
		}
	}
}

func (v *stateChecker) checkRule(path string, rule EscalationRule) {
	if rule.DelayMinutes < 0 {
		v.problems.Add(strictjson.Join(path, "delay_minutes"), "expected at least 1")
	}
	if len(rule.Users)+len(rule.Schedules) == 0 {
		v.problems.Add(path, "a rule needs users or schedules")
	}
	for k, user := range rule.Users {
		v.checkUser(strictjson.Index(strictjson.Join(path, "users"), k), user)
	}
	for k, schedule := range rule.Schedules {
		v.checkSchedule(strictjson.Index(strictjson.Join(path, "schedules"), k), schedule)
	}
}

func (v *stateChecker) checkServices() {
	for i, service := range v.state.Services {
		v.unique(field("services", i, "id"), service.ID)
		v.named("services", i, service.Name)
		if service.EscalationPolicy != "" {
			v.checkPolicy(field("services", i, "escalation_policy"), service.EscalationPolicy)
		}
		for j, integration := range service.Integrations {
			v.checkIntegration(strictjson.Index(field("services", i, "integrations"), j), integration)
		}
	}
}

func (v *stateChecker) checkIntegration(path string, integration StateIntegration) {
	v.unique(strictjson.Join(path, "id"), integration.ID)
	oneOf(v, strictjson.Join(path, "accepts"), integration.Accepts, eventsVersions)
	switch {
	case integration.Key == "":
	case len(integration.Key) != seeded.ServiceKeyLength || !IsAlphanumeric(integration.Key):
		v.problems.Add(strictjson.Join(path, "key"), "an integration key is of %d letters and digits, this one of %d characters", seeded.ServiceKeyLength, len(integration.Key))
	default:
		v.uniqueKey(strictjson.Join(path, "key"), integration.Key)
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
			v.problems.Add(field("on_calls", i, "level"), "expected at least 1")
		}
		if duty.Start != nil && duty.End != nil && !duty.Start.Before(*duty.End) {
			v.problems.Add(field("on_calls", i, "end"), "expected a time after the start")
		}
	}
}

func (v *stateChecker) checkIncidents() {
	open := map[[2]string]int{}
	for i, incident := range v.state.Incidents {
		v.unique(field("incidents", i, "id"), incident.ID)
		v.checkService(field("incidents", i, "service"), incident.Service)
		oneOf(v, field("incidents", i, "status"), incident.Status, Statuses)
		oneOf(v, field("incidents", i, "urgency"), incident.Urgency, urgencies)
		if IsBlank(incident.Title) || IsLonger(incident.Title, MaximumDescriptionLength) {
			v.problems.Add(field("incidents", i, "title"), "a title of 1 to %d characters is required", MaximumDescriptionLength)
		}
		for j, user := range incident.Assignees {
			v.checkUser(strictjson.Index(field("incidents", i, "assignees"), j), user)
		}
		if incident.Key == "" || incident.Status == Resolved {
			continue
		}
		key := [2]string{incident.Service, incident.Key}
		if first, ok := open[key]; ok {
			v.problems.Add(field("incidents", i, "key"), "%s of the same service is open under this key", strictjson.Index("incidents", first))
			continue
		}
		open[key] = i
	}
}

// referable is a resource that a reference may name, by ID or by name (by address for a
// user).
type referable struct{ id, name string }

// The functions below check a reference. Where the state has no list of the resources, those
// of an account without a state may be named.

func (v *stateChecker) checkUser(path, text string) {
	users := v.state.Users
	if users == nil {
		users = DefaultUsers()
	}
	known := Each(users, func(user User) referable { return referable{user.ID, NormalizedEmail(user.Email)} })
	v.checkReference(path, "user", text, NormalizedEmail(text), known)
}

func (v *stateChecker) checkSchedule(path, text string) {
	known := Each(v.state.Schedules, func(schedule Schedule) referable { return referable{schedule.ID, schedule.Name} })
	v.checkReference(path, "schedule", text, text, known)
}

func (v *stateChecker) checkPolicy(path, text string) {
	known := Each(v.state.EscalationPolicies, func(policy EscalationPolicy) referable { return referable{policy.ID, policy.Name} })
	if v.state.EscalationPolicies == nil {
		known = []referable{{name: defaultPolicyName}}
	}
	v.checkReference(path, "escalation policy", text, text, known)
}

func (v *stateChecker) checkService(path, text string) {
	known := Each(v.state.Services, func(service StateService) referable { return referable{service.ID, service.Name} })
	if v.state.Services == nil {
		known = []referable{{name: defaultServiceName}}
	}
	v.checkReference(path, "service", text, text, known)
}

// checkReference reports a reference, given as an ID and as a name, to no known resource.
func (v *stateChecker) checkReference(path, kind, id, name string, known []referable) {
	names := Each(known, func(r referable) string { return r.name })
	switch {
	case slices.ContainsFunc(known, func(r referable) bool { return r.id != "" && r.id == id || r.name == name }):
	case id == "":
		v.problems.Add(path, "a reference to the %s is required%s", kind, strictjson.Suggestion("", names))
	default:
		v.problems.Add(path, "there is no %s %s%s", kind, strictjson.Quote(id), strictjson.Suggestion(id, names))
	}
}
