package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// serviceDocument is a service as the REST API sends it.
type serviceDocument struct {
	reference
	Name             string     `json:"name"`
	Description      *string    `json:"description"`
	Status           string     `json:"status"`
	EscalationPolicy *reference `json:"escalation_policy"`
	Integrations     []any      `json:"integrations"`
	Teams            []any      `json:"teams"`
}

// integrationDocument is an integration as the REST API sends it. The key is
// part of it in the real API too.
type integrationDocument struct {
	reference
	Name    string    `json:"name"`
	Key     string    `json:"integration_key"`
	Service reference `json:"service"`
}

// integrationKinds are the types of integrations, by what they accept. A key for
// both versions has the type of the later one.
var integrationKinds = map[EventsVersion]string{
	EventsV1:   "generic_events_api_inbound_integration",
	EventsV2:   "events_api_v2_inbound_integration",
	EventsBoth: "events_api_v2_inbound_integration",
}

func (a *account) serviceReference(v Service) reference {
	return a.site.pagedReference("service", "/services/"+v.ID, "/service-directory/"+v.ID, v.Name)
}

func (a *account) integrationReference(i *integration) reference {
	return a.site.pagelessReference(integrationKinds[i.accepts], "/services/"+i.service.ID+"/integrations/"+i.id, i.name)
}

func (a *account) integrationDocument(i *integration) integrationDocument {
	return integrationDocument{
		reference: a.integrationReference(i),
		Name:      i.name,
		Key:       i.key,
		Service:   a.serviceReference(i.service.Service).short(),
	}
}

// serviceDocument returns a service as sent. What include names is sent whole.
func (a *account) serviceDocument(v *service, include []string) serviceDocument {
	document := serviceDocument{
		reference:        a.serviceReference(v.Service),
		Name:             v.Name,
		Status:           "active",
		EscalationPolicy: a.policyReference(v.policyID),
		Integrations:     []any{},
		Teams:            []any{},
	}
	for _, integration := range v.integrations {
		if slices.Contains(include, "integrations") {
			document.Integrations = append(document.Integrations, a.integrationDocument(integration))
			continue
		}
		document.Integrations = append(document.Integrations, a.integrationReference(integration).short())
	}
	return document
}

// listServices answers GET /services, narrowed by a part of the name.
func (s *Simulator) listServices(x *exchange) response {
	return listing(x, "services", s.services.matching(x.query.Get("query")), func(v *service) any {
		return s.serviceDocument(v, x.values("include"))
	})
}

// getService answers GET /services/{id}.
func (s *Simulator) getService(x *exchange) response {
	found := s.services.byID(x.id)
	if found == nil {
		return notFound()
	}
	return single(http.StatusOK, "service", s.serviceDocument(found, x.values("include")))
}

// getIntegration answers GET /services/{id}/integrations/{integration}.
func (s *Simulator) getIntegration(x *exchange) response {
	found := s.services.byID(x.id)
	if found == nil {
		return notFound()
	}
	for _, integration := range found.integrations {
		if integration.id == x.child {
			return single(http.StatusOK, "integration", s.integrationDocument(integration))
		}
	}
	return notFound()
}

// lastSegment is the identifier at the end of a path.
func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
