package fault

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/builtins/pagerduty/simulator/api"
)

// accountLockText is part of what terraform-provider-pagerduty #1117 quotes: users that
// are created at the same time block each other.
const accountLockText = "License error: Unable to perform request at this time. account could not be locked"

// respond makes the answer of a fault that answers in place of the account.
func (i *Injector) respond(x *api.Exchange, f Fault) api.Response {
	answer := i.answerOf(x, f)
	if !x.IsEvent() && f.Do != RateLimitBare {
		answer = i.config.API.WithRequestID(answer)
	}
	return f.adjust(answer)
}

func (i *Injector) answerOf(x *api.Exchange, f Fault) api.Response {
	status := cmp.Or(f.Status, traitsOf[f.Do].status)
	switch f.Do {
	case RateLimited:
		return i.config.API.TooMany(x)
	case RateLimitBare:
		return api.Empty(x.TooManyStatus())
	case AnswerHTML:
		text := api.StatusText(status)
		page := "<html><head><title>" + text + "</title></head><body><h1>" + text + "</h1></body></html>\n"
		return html(status, cmp.Or(f.Body, page))
	case AnswerText:
		return api.PlainText(status, cmp.Or(f.Body, api.InvalidRoutingKey))
	case ErrorArray:
		return api.Document(status, map[string]any{"error": []string{cmp.Or(f.Body, "links should have at most 50 item(s)")}})
	case ErrorsString:
		return api.ErrorsString(status, cmp.Or(f.Body, "Name is invalid"))
	case AccountLocked:
		return api.InvalidInput(accountLockText)
	}
	switch { // AnswerStatus
	case status == http.StatusNoContent || status == http.StatusNotModified:
		return api.Empty(status)
	case strings.HasPrefix(f.Body, "<"):
		return html(status, f.Body)
	case f.Body != "":
		return api.Typed(status, "application/json", []byte(f.Body))
	}
	return i.config.API.StatusAnswer(x, status)
}

func html(status int, page string) api.Response {
	return api.Typed(status, "text/html; charset=utf-8", []byte(page))
}

// adjust sets and removes the headers that a fault names.
func (f Fault) adjust(answer api.Response) api.Response {
	for _, name := range slices.Sorted(maps.Keys(f.Headers)) {
		answer = answer.WithHeader(name, f.Headers[name])
	}
	for _, name := range f.Remove {
		answer.Header.Del(name)
		answer.Removed = append(answer.Removed, http.CanonicalHeaderKey(name))
	}
	return answer
}
