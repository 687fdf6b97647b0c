package simulator

import "net/http"

// rest wraps the handler of a REST endpoint with what holds for all of them: a
// request identifier, a credential, the rate limit and its headers, a size cap.
func rest(handle handler) handler {
	return func(s *Simulator, x *exchange) response {
		requestID := s.identifiers.request()
		answer := s.answerREST(x, handle)
		return answer.withHeader("x-request-id", requestID)
	}
}

func (s *Simulator) answerREST(x *exchange, handle handler) response {
	given := readCredential(x.header.Get("Authorization"))
	token, ok := s.authenticate(given)
	if !ok {
		return unauthorized()
	}
	x.token = token
	left := s.countAgainstLimit(given.key, x.now)
	if left.exceeded {
		return left.onto(limitExceeded())
	}
	return left.onto(restBody(s, x, handle))
}

func restBody(s *Simulator, x *exchange, handle handler) response {
	switch {
	case x.oversized:
		return failure(http.StatusRequestEntityTooLarge, codeInvalidInput, "Request Entity Too Large")
	case !s.mayDo(x.method, x.token):
		return accessDenied()
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
