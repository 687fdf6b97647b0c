package api

import (
	"net/http"
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
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

// integrationDocument is an integration as the REST API sends it. The real API sends the
// key too.
type integrationDocument struct {
	reference
	Name    string    `json:"name"`
	Key     string    `json:"integration_key"`
	Service reference `json:"service"`
}

// integrationKinds are the types of integrations by the events that they accept. A key for
// both versions has the type of version 2.
var integrationKinds = map[account.EventsVersion]string{
	account.EventsV1:   "generic_events_api_inbound_integration",
	account.EventsV2:   "events_api_v2_inbound_integration",
	account.EventsBoth: "events_api_v2_inbound_integration",
}

func referToService(a *account.Account, v account.ServiceView) reference {
	return referToPage(a, "service", "/services/"+v.ID, "/service-directory/"+v.ID, v.Name)
}

func referToIntegration(a *account.Account, i *account.Integration) reference {
	return referWithoutPage(a, integrationKinds[i.Accepts], "/services/"+i.Service.ID+"/integrations/"+i.ID, i.Name)
}

func renderIntegration(a *account.Account, i *account.Integration) integrationDocument {
	return integrationDocument{
		reference: referToIntegration(a, i),
		Name:      i.Name,
		Key:       i.Key,
		Service:   referToService(a, i.Service.ServiceView).short(),
	}
}

// renderService returns a service as sent. Resources that include names are sent whole,
// others as references.
func renderService(a *account.Account, v *account.Service, include []string) serviceDocument {
	document := serviceDocument{
		reference:        referToService(a, v.ServiceView),
		Name:             v.Name,
		Status:           "active",
		EscalationPolicy: referToPolicy(a, v.PolicyID),
		Integrations:     []any{},
		Teams:            []any{},
	}
	for _, integration := range v.Integrations {
		if slices.Contains(include, "integrations") {
			document.Integrations = append(document.Integrations, renderIntegration(a, integration))
			continue
		}
		document.Integrations = append(document.Integrations, referToIntegration(a, integration).short())
	}
	return document
}

// listServices answers GET /services, filtered by a part of the name.
func listServices(x *Exchange) Response {
	return listing(x, "services", x.account.Services.Matching(x.query.Get("query")), func(v *account.Service) any {
		return renderService(x.account, v, x.values("include"))
	})
}

// getService answers GET /services/{id}.
func getService(x *Exchange, found *account.Service) Response {
	return single(http.StatusOK, "service", renderService(x.account, found, x.values("include")))
}

// getIntegration answers GET /services/{id}/integrations/{integration}.
func getIntegration(x *Exchange, found *account.Service) Response {
	for _, integration := range found.Integrations {
		if integration.ID == x.child {
			return single(http.StatusOK, "integration", renderIntegration(x.account, integration))
		}
	}
	return notFound()
}
