package simulator

import "slices"

// blankAvatar is the picture of every user since 2026-07-28, when the service
// left Gravatar (changelog of PagerDuty's API schema).
const blankAvatar = "https://pd-static-assets.pagerduty.com/users/blank-avatar.png"

// userDocument is a user as the REST API sends it: the User schema of
// PagerDuty's OpenAPI description, and billed and coordinated_incidents, which
// real answers have besides (fixtures of Rapid7's plugin).
type userDocument struct {
	reference
	Name                 string  `json:"name"`
	Email                string  `json:"email"`
	TimeZone             string  `json:"time_zone"`
	Color                string  `json:"color"`
	Role                 string  `json:"role"`
	AvatarURL            string  `json:"avatar_url"`
	Description          *string `json:"description"`
	InvitationSent       bool    `json:"invitation_sent"`
	JobTitle             *string `json:"job_title"`
	CreatedViaSSO        bool    `json:"created_via_sso"`
	Billed               bool    `json:"billed"`
	Teams                []any   `json:"teams"`
	ContactMethods       []any   `json:"contact_methods"`
	NotificationRules    []any   `json:"notification_rules"`
	CoordinatedIncidents []any   `json:"coordinated_incidents"`
	HTTPCalendarURL      *string `json:"http_cal_url"` // always null: a credential in the real account
	WebCalendarURL       *string `json:"web_cal_url"`
}

// userDocument returns a member as sent. What include names is sent whole, the
// rest as references.
func (a *account) userDocument(m *member, include []string) userDocument {
	return userDocument{
		reference:            a.userReference(m),
		Name:                 m.Name,
		Email:                m.Email,
		TimeZone:             m.TimeZone,
		Color:                m.Color,
		Role:                 m.Role,
		AvatarURL:            blankAvatar,
		Description:          nullIfEmpty(m.Description),
		InvitationSent:       true,
		JobTitle:             nullIfEmpty(m.JobTitle),
		Billed:               true,
		Teams:                []any{},
		ContactMethods:       []any{a.contactDocument(m, slices.Contains(include, "contact_methods"))},
		NotificationRules:    a.ruleDocuments(m, slices.Contains(include, "notification_rules")),
		CoordinatedIncidents: []any{},
	}
}

func (a *account) userReference(m *member) reference {
	return a.site.reference("user", "/users/"+m.ID, m.Name)
}

// userReferenceByID returns nil for a user who is gone.
func (a *account) userReferenceByID(id string) *reference {
	m := a.users.byID(id)
	if m == nil {
		return nil
	}
	found := a.userReference(m).short()
	return &found
}

func nullIfEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// contactDocument is a contact method sent whole.
type contactDocument struct {
	reference
	Label          string `json:"label"`
	Address        string `json:"address"`
	SendShortEmail bool   `json:"send_short_email"`
}

func (a *account) contactReference(m *member) reference {
	return a.site.pagelessReference("email_contact_method", "/users/"+m.ID+"/contact_methods/"+m.contact.id, "Default")
}

func (a *account) contactDocument(m *member, whole bool) any {
	found := a.contactReference(m)
	if !whole {
		return found.short()
	}
	return contactDocument{reference: found, Label: found.Summary, Address: m.contact.address}
}

// ruleDocument is a notification rule sent whole.
type ruleDocument struct {
	reference
	StartDelay    int       `json:"start_delay_in_minutes"`
	ContactMethod reference `json:"contact_method"`
	Urgency       string    `json:"urgency"`
}

func (a *account) ruleDocument(m *member, rule notificationRule, whole bool) any {
	found := a.site.pagelessReference("assignment_notification_rule",
		"/users/"+m.ID+"/notification_rules/"+rule.id, "0 minutes: channel "+m.contact.id)
	if !whole {
		return found.short()
	}
	return ruleDocument{reference: found, ContactMethod: a.contactReference(m).short(), Urgency: rule.urgency}
}

func (a *account) ruleDocuments(m *member, whole bool) []any {
	documents := make([]any, 0, len(m.rules))
	for _, rule := range m.rules {
		documents = append(documents, a.ruleDocument(m, rule, whole))
	}
	return documents
}
