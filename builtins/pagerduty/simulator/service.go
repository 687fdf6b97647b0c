package simulator

import (
	"fmt"
	"net/http"
	"strings"
)

// defaultServiceName is the name of the service that is generated when no
// option adds one.
const defaultServiceName = "Default Service"

// Service receives events and groups their incidents.
type Service struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// integration is a service with the key that events carry to reach it.
type integration struct {
	Service
	key string
}

// catalogue is the services of an account in the order of their creation.
type catalogue struct {
	entries []*integration
}

func (c *catalogue) byKey(key string) *integration {
	for _, entry := range c.entries {
		if entry.key == key {
			return entry
		}
	}
	return nil
}

func (c *catalogue) keys() []string {
	keys := make([]string, 0, len(c.entries))
	for _, entry := range c.entries {
		keys = append(keys, entry.key)
	}
	return keys
}

func (s *Simulator) addService(name, key string) *integration {
	added := &integration{Service: Service{ID: s.identifiers.resource(), Name: name}, key: key}
	s.services.entries = append(s.services.entries, added)
	return added
}

// serviceFor returns the service of a well-formed integration key. A lenient
// account makes one for a key that it does not know.
func (s *Simulator) serviceFor(key string) (*integration, bool) {
	if found := s.services.byKey(key); found != nil {
		return found, true
	}
	if !s.settings.lenientServiceKeys {
		return nil, false
	}
	name := fmt.Sprintf("Service %d", len(s.services.entries)+1)
	return s.addService(name, key), true
}

// serviceDocument is a service as the REST API sends it.
type serviceDocument struct {
	ID          string  `json:"id"`
	Type        string  `json:"type"`
	Summary     string  `json:"summary"`
	Self        string  `json:"self"`
	HTMLURL     string  `json:"html_url"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Status      string  `json:"status"`
	Teams       []any   `json:"teams"`
}

// serviceListBody is the body of a listing of services.
type serviceListBody struct {
	Services []serviceDocument `json:"services"`
	pageDocument
}

func (v Service) document() serviceDocument {
	return serviceDocument{
		ID:      v.ID,
		Type:    "service",
		Summary: v.Name,
		Self:    v.self(),
		HTMLURL: v.page(),
		Name:    v.Name,
		Status:  "active",
		Teams:   []any{},
	}
}

func (v Service) reference() reference {
	page := v.page()
	return reference{ID: v.ID, Type: "service_reference", Summary: v.Name, Self: v.self(), HTMLURL: &page}
}

func (v Service) self() string { return restBase + "/services/" + v.ID }

func (v Service) page() string { return webBase + "/service-directory/" + v.ID }

// listServices answers GET /services, narrowed by a part of the name.
func (s *Simulator) listServices(x *exchange) response {
	asked, complaint := readPage(x.query)
	if complaint != "" {
		return invalidInput(complaint)
	}
	query := strings.ToLower(x.query.Get("query"))
	matching := []serviceDocument{}
	for _, entry := range s.services.entries {
		if strings.Contains(strings.ToLower(entry.Name), query) {
			matching = append(matching, entry.document())
		}
	}
	found, position := cut(matching, asked)
	return document(http.StatusOK, serviceListBody{found, position})
}
