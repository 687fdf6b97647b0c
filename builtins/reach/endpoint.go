// Package reach is what the modules http and net share: hosts and ports, the
// addresses that a call must not connect to, and timeouts.
//
//   - endpoint.go checks hosts and ports, and says why a network failed.
//   - dial.go connects, and refuses addresses that a permission does not cover.
//   - timeout.go ends a call on the run's clock.
package reach

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/phrase"
)

// ReasonOf returns in a few words why the network failed, without the addresses, which
// differ between machines.
func ReasonOf(err error) string {
	var timeout net.Error
	var lookup *net.DNSError
	var operation *net.OpError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "host not found"
	case errors.As(err, &lookup):
		return "the look-up failed: " + lookup.Err
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.As(err, &operation):
		return operation.Err.Error()
	}
	return err.Error()
}

// NetTarget returns the target of a socket or, with port 0, of a name look-up.
func NetTarget(host string, port int) action.Target {
	return action.Target{Scheme: "net", Host: action.CanonicalHost(host), Port: port}
}

// OwnFault reports whether the network failed for a lack of this machine, such as of file
// descriptors. Such an error says nothing about the other side.
func OwnFault(err error) bool {
	var lookup *net.DNSError // has the text of its cause only
	isLookup := errors.As(err, &lookup)
	return slices.ContainsFunc(lacks, func(lack error) bool {
		return errors.Is(err, lack) || isLookup && strings.Contains(lookup.Err, lack.Error())
	})
}

// lacks are the errors of a machine that has too little of something.
var lacks = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL}

// CheckHost refuses text that is neither a host name nor an IP address.
func CheckHost(host string) error {
	if action.CheckFormat("ip", host) == nil || action.CheckFormat("hostname", host) == nil {
		return nil
	}
	failure := action.Errorf(action.InvalidInput, "%q is neither a host name nor an IP address", phrase.Clip(host, 60))
	if strings.Contains(host, "://") {
		failure.Hint = "give the host alone, without scheme and path"
	} else if _, _, err := net.SplitHostPort(host); err == nil {
		failure.Hint = "give the port in its own input"
	}
	return failure
}

// CheckPort refuses numbers that are not a TCP port.
func CheckPort(port int) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf(`"port" must be from 1 to 65535, got %d`, port)
	}
	return nil
}
