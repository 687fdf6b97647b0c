package simulator

import "maps"

// account is what requests read and change, and what a reset begins anew. It can
// be cloned, so that a read can be answered from before a write.
type account struct {
	site      site
	abilities []string
	tokens    map[string]token
	users     directory
	services  catalogue
	policies  []EscalationPolicy // with IDs in place of references
	schedules []Schedule         // likewise
	onCalls   []OnCall           // likewise; nil when they follow from the policies
	incidents ledger
	changes   []ChangeEvent
}

// clone returns an account that later changes leave alone.
func (a *account) clone() account {
	copied := *a
	copied.tokens = maps.Clone(a.tokens)
	copied.users = a.users.clone()
	copied.services.entries = append([]*service(nil), a.services.entries...)
	copied.incidents = a.incidents.clone()
	return copied
}

// site is where the account's resources say that they are.
type site struct {
	rest string
	web  string // holds the subdomain, from which clients such as the pd command line learn it
}

const defaultSubdomain = "simulator"

// newSite returns the addresses of an account. Both regions are named in
// PagerDuty's developer documentation.
func newSite(account StateAccount) site {
	host, domain := "api.pagerduty.com", "pagerduty.com"
	if account.Region == "eu" {
		host, domain = "api.eu.pagerduty.com", "eu.pagerduty.com"
	}
	return site{
		rest: "https://" + host,
		web:  "https://" + orDefault(account.Subdomain, defaultSubdomain) + "." + domain,
	}
}

// reference is a resource as it stands inside another one.
type reference struct {
	ID      string  `json:"id"`
	Type    string  `json:"type"`
	Summary string  `json:"summary"`
	Self    string  `json:"self"`
	HTMLURL *string `json:"html_url"`
}

// reference returns a resource that the web pages keep under the same path.
func (s site) reference(kind, path, summary string) reference {
	return s.pagedReference(kind, path, path, summary)
}

// pagedReference returns a resource whose web page has another path.
func (s site) pagedReference(kind, path, page, summary string) reference {
	address := s.web + page
	return reference{ID: lastSegment(path), Type: kind, Summary: summary, Self: s.rest + path, HTMLURL: &address}
}

// pagelessReference returns a resource without a web page.
func (s site) pagelessReference(kind, path, summary string) reference {
	return reference{ID: lastSegment(path), Type: kind, Summary: summary, Self: s.rest + path}
}

// short is the reference to a resource that was made whole.
func (r reference) short() reference {
	r.Type += "_reference"
	return r
}
