package api

import (
	"net/http"
	"slices"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/account"
)

// integrationKinds are the types of integrations by the events that they accept. A key for
// both versions has the type of version 2.
var integrationKinds = map[account.EventsVersion]string{
	account.EventsV1:   "generic_events_api_inbound_integration",
	account.EventsV2:   "events_api_v2_inbound_integration",
	account.EventsBoth: "events_api_v2_inbound_integration",
}

func referToService(a *account.Account, v *account.Service) document {
	return refer(a, "service", "/services/"+v.ID, v.Name).with(document{{"html_url", a.Site.Web + "/service-directory/" + v.ID}})
}

// serviceOf returns the service of an incident.
func serviceOf(a *account.Account, i *account.Incident, whole bool) document {
	return embed(a, a.Services.ByID(i.Impacted.ID), whole, renderService, referToService)
}

func referToIntegration(a *account.Account, i *account.Integration) document {
	return refer(a, integrationKinds[i.Accepts], "/services/"+i.Service.ID+"/integrations/"+i.ID, i.Name).
		with(document{{"html_url", nil}})
}

// renderIntegration returns an integration as sent. The real API sends the key too.
func renderIntegration(a *account.Account, i *account.Integration, _ []string) document {
	return referToIntegration(a, i).with(document{
		{"name", i.Name},
		{"integration_key", i.Key},
		{"service", referToService(a, i.Service).short()},
	})
}

func renderService(a *account.Account, v *account.Service, include []string) document {
	return referToService(a, v).with(document{
		{"name", v.Name},
		{"description", nil},
		{"status", "active"},
		{"escalation_policy", policyByID(a, v.PolicyID, false)},
		{"integrations", account.Each(v.Integrations, func(i *account.Integration) document {
			return embed(a, i, slices.Contains(include, "integrations"), renderIntegration, referToIntegration)
		})},
		{"teams", []any{}},
	})
}

// listServices answers GET /services, filtered by a part of the name.
func listServices(x *Exchange) Response {
	return listing(x, "services", x.account.Services.Matching(x.query.Get("query")), renderService)
}

// getIntegration answers GET /services/{id}/integrations/{integration}.
func getIntegration(x *Exchange, found *account.Service) Response {
	for _, integration := range found.Integrations {
		if integration.ID == x.child {
			return single(http.StatusOK, "integration", renderIntegration(x.account, integration, nil))
		}
	}
	return notFound()
}
