package simulator

import "time"

// handleOnce lets the account do what a request asks for.
func (s *Simulator) handleOnce(x *exchange) response {
	if !x.isRead() {
		s.rememberVersion(x.now)
	}
	return x.handle(s, x)
}

// spoil answers a request for which a rule applies. What happens to the answer on
// its way is left to send.
func (s *Simulator) spoil(x *exchange, rule *faultRule) response {
	switch rule.Do {
	case ResetBefore, TimeoutBefore:
		return response{}
	case ChangeHeaders:
		return rule.adjust(s.handleOnce(x))
	case SlowHeader, SlowBody, TruncatedBody, ResetAfter, TimeoutAfter:
		return s.handleOnce(x)
	case Duplicate:
		answer := s.handleOnce(x)
		s.handleOnce(x)
		return answer
	case StaleRead:
		return s.asOf(x.now.Add(-time.Duration(rule.Delay)), x)
	case ClockJump:
		s.timeline.jump(time.Duration(rule.Delay))
		x.now = x.now.Add(time.Duration(rule.Delay))
		s.applyPending(x.now)
		return s.handleOnce(x)
	}
	return rule.respond(s, x)
}
