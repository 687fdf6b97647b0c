package simulator

// The checks here hold a reference against what it refers to. A list that the
// state does not have is that of a new account, whose users are known and whose
// services have no names to refer to.

func (v *stateChecker) checkUser(path, text string) {
	users := v.state.Users
	if users == nil {
		users = DefaultUsers()
	}
	var addresses []string
	for _, user := range users {
		address := user.normalized().Email
		if user.ID != "" && user.ID == text || address == normalizedEmail(text) {
			return
		}
		addresses = append(addresses, address)
	}
	v.unknown(path, "user", text, addresses)
}

func (v *stateChecker) checkSchedule(path, text string) {
	var names []string
	for _, schedule := range v.state.Schedules {
		if schedule.ID != "" && schedule.ID == text || schedule.Name == text {
			return
		}
		names = append(names, schedule.Name)
	}
	v.unknown(path, "schedule", text, names)
}

func (v *stateChecker) checkPolicy(path, text string) {
	policies := v.state.EscalationPolicies
	if policies == nil {
		policies = []EscalationPolicy{{Name: defaultPolicyName}}
	}
	var names []string
	for _, policy := range policies {
		if policy.ID != "" && policy.ID == text || policy.Name == text {
			return
		}
		names = append(names, policy.Name)
	}
	v.unknown(path, "escalation policy", text, names)
}

func (v *stateChecker) checkService(path, text string) {
	services := v.state.Services
	if services == nil {
		services = []StateService{{Name: defaultServiceName}}
	}
	var names []string
	for _, service := range services {
		if service.ID != "" && service.ID == text || service.Name == text {
			return
		}
		names = append(names, service.Name)
	}
	v.unknown(path, "service", text, names)
}

func (v *stateChecker) unknown(path, kind, text string, known []string) {
	if text == "" {
		v.problems.add(path, "a reference to the %s is required%s", kind, suggestion("", known))
		return
	}
	v.problems.add(path, "there is no %s %s%s", kind, quoted(text), suggestion(text, known))
}
