package simulator

import (
	"slices"
	"strings"
)

// directory is the users of an account in the order of their creation.
type directory struct {
	members []*member
}

func (d *directory) clone() directory {
	copied := directory{members: make([]*member, 0, len(d.members))}
	for _, m := range d.members {
		kept := *m
		copied.members = append(copied.members, &kept)
	}
	return copied
}

// replace adds a member in place of those with the same ID or address.
func (d *directory) replace(added *member) {
	d.members = slices.DeleteFunc(d.members, func(m *member) bool {
		return m.ID == added.ID || m.Email == added.Email
	})
	d.members = append(d.members, added)
}

func (d *directory) add(added *member) { d.members = append(d.members, added) }

func (d *directory) remove(id string) {
	d.members = slices.DeleteFunc(d.members, func(m *member) bool { return m.ID == id })
}

func (d *directory) firstID() string {
	if len(d.members) == 0 {
		return ""
	}
	return d.members[0].ID
}

// byID returns the member with an ID, or nil.
func (d *directory) byID(id string) *member {
	return d.find(func(m *member) bool { return m.ID == id })
}

// byEmail returns the member with a normalized address, or nil.
func (d *directory) byEmail(email string) *member {
	return d.find(func(m *member) bool { return m.Email == email })
}

func (d *directory) find(wanted func(*member) bool) *member {
	i := slices.IndexFunc(d.members, wanted)
	if i < 0 {
		return nil
	}
	return d.members[i]
}

// matching returns the members whose name or address contains query, regardless
// of case. The documentation speaks of the name only; pagerduty-cli #10 shows
// the address too.
func (d *directory) matching(query string) []*member {
	query = strings.ToLower(query)
	var found []*member
	for _, m := range d.members {
		if strings.Contains(strings.ToLower(m.Name), query) || strings.Contains(m.Email, query) {
			found = append(found, m)
		}
	}
	return found
}
