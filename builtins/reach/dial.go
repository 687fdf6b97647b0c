package reach

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pdflow/pdflow/engine/action"
)

// A permission names a host, and a name server returns its address. The owner of the name
// could return the address of this machine, of a machine on the same link, or of the
// service that gives a cloud machine its credentials. So the address is checked when it
// is dialled.

// metadata are the addresses of cloud metadata services that do not use the link-local
// 169.254.169.254 (from the providers' documentation: AWS over IPv6, Alibaba, Oracle
// Classic).
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("192.0.0.192"),
}

// nat64 are addresses that a gateway translates to the IPv4 address in their last
// four bytes (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// protected returns why a permission for a name does not cover an address, or "" if it
// covers the address.
func protected(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	switch {
	case ip.IsLoopback(), ip.IsUnspecified():
		return "this machine itself"
	case ip.IsLinkLocalUnicast(), ip.IsLinkLocalMulticast():
		return "a link-local address, as metadata services have"
	case ip.IsMulticast():
		return "a multicast address"
	}
	for _, m := range metadata {
		if ip == m {
			return "the address of a metadata service"
		}
	}
	return ""
}

type dialKey struct{}

// Toward returns a context in which [Dial] checks the addresses of the target.
func Toward(ctx context.Context, target action.Target) context.Context {
	return context.WithValue(ctx, dialKey{}, target)
}

// dialer checks each address right before it connects to it.
var dialer = net.Dialer{
	Timeout: 10 * time.Second, KeepAlive: 30 * time.Second,
	ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		if target, ok := ctx.Value(dialKey{}).(action.Target); ok {
			return checkAddress(ctx, target, address)
		}
		return nil
	},
}

// Dial connects to an address of the form host:port. It does not check an address that is
// not the target, such as the address of a proxy, which the operator chose.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if target, ok := ctx.Value(dialKey{}).(action.Target); ok {
		host, port, err := net.SplitHostPort(address)
		if err != nil || CanonicalHost(host) != target.Host || port != strconv.Itoa(target.Port) {
			ctx = context.WithValue(ctx, dialKey{}, nil)
		}
	}
	return dialer.DialContext(ctx, network, address)
}

// checkAddress refuses a protected address, unless the workflow lists that address or the
// target is localhost.
func checkAddress(ctx context.Context, target action.Target, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address %s cannot be read", address)
	}
	why, permit := protected(at.Addr()), action.ScopeOf(ctx).Permit
	local := target.Host == "localhost" || strings.HasSuffix(target.Host, ".localhost")
	if why == "" || permit == nil || local && at.Addr().Unmap().IsLoopback() {
		return nil
	}
	itself := target
	itself.Host = at.Addr().Unmap().WithZone("").String()
	refused := permit(itself)
	if refused == nil {
		return nil
	}
	failure := *action.AsError(refused)
	failure.Message = fmt.Sprintf("%s leads to %s, %s: %s", target.Host, itself.Host, why, failure.Message)
	return &failure
}
