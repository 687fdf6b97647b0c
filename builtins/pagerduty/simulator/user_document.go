package simulator

import "slices"

const (
	restBase = "https://api.pagerduty.com"
	// webBase holds the account's subdomain, from which clients such as the
	// pd command line learn it.
	webBase = "https://simulator.pagerduty.com"
	// blankAvatar is the picture of every user since 2026-07-28, when the
	// service left Gravatar (changelog of PagerDuty's API schema).
	blankAvatar = "https://pd-static-assets.pagerduty.com/users/blank-avatar.png"
)

// reference is a resource as it stands inside another one.
type reference struct {
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Summary string  `json:"summary"`
	Self    string  `json:"self"`
	HTMLURL *string `json:"html_url"`
}

// userDocument is a user as the REST API sends it: the User schema of
// PagerDuty's OpenAPI description, and billed and coordinated_incidents, which
// real answers have besides (fixtures of Rapid7's plugin).
type userDocument struct {
	ID                   string  `json:"id"`
	Type                 string  `json:"type"`
	Summary              string  `json:"summary"`
	Self                 string  `json:"self"`
	HTMLURL              string  `json:"html_url"`
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

// document returns a member as sent. What include names is sent whole, the rest
// as references.
func (m *member) document(include []string) userDocument {
	return userDocument{
		ID:                   m.ID,
		Type:                 "user",
		Summary:              m.Name,
		Self:                 m.self(),
		HTMLURL:              webBase + "/users/" + m.ID,
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
		ContactMethods:       m.contactDocuments(slices.Contains(include, "contact_methods")),
		NotificationRules:    m.ruleDocuments(slices.Contains(include, "notification_rules")),
		CoordinatedIncidents: []any{},
	}
}

func (m *member) self() string { return restBase + "/users/" + m.ID }

func (m *member) reference() reference {
	page := webBase + "/users/" + m.ID
	return reference{ID: m.ID, Type: "user_reference", Summary: m.Name, Self: m.self(), HTMLURL: &page}
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

func (m *member) contactReference() reference {
	self := m.self() + "/contact_methods/" + m.contact.id
	return reference{ID: m.contact.id, Type: "email_contact_method_reference", Summary: "Default", Self: self}
}

func (m *member) contactDocuments(whole bool) []any {
	short := m.contactReference()
	if !whole {
		return []any{short}
	}
	short.Type = "email_contact_method"
	return []any{contactDocument{reference: short, Label: short.Summary, Address: m.contact.address}}
}

// ruleDocument is a notification rule sent whole.
type ruleDocument struct {
	reference
	StartDelay    int       `json:"start_delay_in_minutes"`
	ContactMethod reference `json:"contact_method"`
	Urgency       string    `json:"urgency"`
}

func (m *member) ruleDocuments(whole bool) []any {
	documents := make([]any, 0, len(m.rules))
	for _, rule := range m.rules {
		short := reference{
			ID:      rule.id,
			Type:    "assignment_notification_rule_reference",
			Summary: "0 minutes: channel " + m.contact.id,
			Self:    m.self() + "/notification_rules/" + rule.id,
		}
		if !whole {
			documents = append(documents, short)
			continue
		}
		short.Type = "assignment_notification_rule"
		documents = append(documents, ruleDocument{reference: short, ContactMethod: m.contactReference(), Urgency: rule.urgency})
	}
	return documents
}
