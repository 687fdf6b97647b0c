package simulator

import (
	"net/http"
	"strconv"
)

// rest wraps the handler of a REST endpoint with what holds for all of them:
// a request identifier, a credential, the rate limit's headers, a size cap.
func rest(handle handler) handler {
	return func(s *Simulator, x *exchange) response {
		requestID := s.identifiers.request()
		answer := s.answerREST(x, handle)
		return answer.withHeader("x-request-id", requestID)
	}
}

func (s *Simulator) answerREST(x *exchange, handle handler) response {
	key := credential(x.header.Get("Authorization"))
	token, ok := s.authenticate(key)
	if !ok {
		return unauthorized()
	}
	x.token = token
	remaining, reset := s.countAgainstLimit(key, x.now)
	return restBody(s, x, handle).
		withHeader("ratelimit-limit", strconv.Itoa(restLimit)).
		withHeader("ratelimit-remaining", strconv.Itoa(remaining)).
		withHeader("ratelimit-reset", strconv.Itoa(reset))
}

func restBody(s *Simulator, x *exchange, handle handler) response {
	if x.oversized {
		return failure(http.StatusRequestEntityTooLarge, codeInvalidInput, "Request Entity Too Large")
	}
	return handle(s, x)
}

// events wraps the handler of an Events API, which takes its credential from
// the body. The status for an oversized event is [unknown, safe reading]: 413,
// which no client repeats.
func events(handle handler) handler {
	return func(s *Simulator, x *exchange) response {
		if x.oversized {
			return invalidEvent(http.StatusRequestEntityTooLarge, complaints{"Event is too large (maximum is 512 KB)"})
		}
		return handle(s, x)
	}
}
