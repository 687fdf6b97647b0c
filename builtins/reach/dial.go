package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
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

// metadata are the addresses of services that give a cloud machine its credentials or its
// configuration, and that are not link-local as 169.254.169.254 is.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),      // AWS, instance metadata over IPv6 (EC2 user guide)
	netip.MustParseAddr("fd00:ec2::23"),       // AWS, credentials of EKS pods over IPv6 (EKS user guide)
	netip.MustParseAddr("fd20:ce::254"),       // Google Cloud, metadata over IPv6 (Compute Engine documentation)
	netip.MustParseAddr("100.100.100.200"),    // Alibaba Cloud (ECS user guide)
	netip.MustParseAddr("192.0.0.192"),        // Oracle Cloud Classic
	netip.MustParseAddr("fd00:c1::a9fe:a9fe"), // Oracle Cloud (Oracle documentation, instance metadata over IPv6)
	netip.MustParseAddr("fd00:42::42"),        // Scaleway (cloud-init documentation)
	netip.MustParseAddr("fd00:a9fe:a9fe::1"),  // Akamai (Linode)
	netip.MustParseAddr("fd00:100::100:200"),  // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"),      // Azure, the virtual public IP of the host (Azure documentation)
}

// Addresses that stand for an IPv4 address, and where its four bytes begin.
var embedded = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64 (RFC 6052)
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4 (RFC 3056)
	{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible (RFC 4291 2.5.5.1)
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // IPv4-translated (RFC 2765)
}

// unclear are addresses behind which any other address may be.
var unclear = []netip.Prefix{
	netip.MustParsePrefix("64:ff9b:1::/48"), // NAT64 of a local network (RFC 8215)
	netip.MustParsePrefix("2001::/32"),      // Teredo (RFC 4380)
	netip.MustParsePrefix("0.0.0.0/8"),      // "this network" (RFC 1122 3.2.1.3)
	netip.MustParsePrefix("fec0::/10"),      // site-local, abandoned (RFC 3879)
}

// protected returns why a permission for a name does not cover an address, or "" if it
// covers the address. own has the addresses of this machine.
func protected(ip netip.Addr, own []net.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.IsUnspecified() || ip.IsLoopback() { // :: and ::1 are no IPv4-compatible addresses
		return "this machine itself"
	}
	if b := ip.As16(); ip.Is6() && b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP (RFC 5214 6.1)
		ip = netip.AddrFrom4([4]byte(b[12:16]))
	}
	for _, e := range embedded {
		if e.prefix.Contains(ip) {
			b := ip.As16()
			ip = netip.AddrFrom4([4]byte(b[e.at : e.at+4]))
			break
		}
	}
	switch {
	case ip.IsLoopback(), ip.IsUnspecified():
		return "this machine itself"
	case ip.IsLinkLocalUnicast(), ip.IsLinkLocalMulticast():
		return "a link-local address, as metadata services have"
	case ip.IsMulticast(), ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "a multicast or broadcast address"
	case slices.Contains(metadata, ip):
		return "the address of a metadata service"
	case slices.ContainsFunc(unclear, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return "an address that may lead to any other"
	}
	for _, address := range own {
		if network, ok := address.(*net.IPNet); ok {
			if at, ok := netip.AddrFromSlice(network.IP); ok && at.Unmap().WithZone("") == ip {
				return "an address of this machine itself"
			}
		}
	}
	return ""
}

// ownAddresses returns the addresses of this machine. They may change at any time.
var ownAddresses = net.InterfaceAddrs

type dialKey struct{}

// Toward returns a context in which [Check] knows the target of a request.
func Toward(ctx context.Context, target action.Target) context.Context {
	return context.WithValue(ctx, dialKey{}, target)
}

// Dial connects to a port of a host. It checks each address right before it connects to it.
func Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	target := NetTarget(host, port)
	dialer := net.Dialer{
		Timeout: 10 * time.Second, KeepAlive: 30 * time.Second,
		ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("the address %s cannot be read", address)
			}
			_, err = checkAddress(ctx, target, at)
			return err
		},
	}
	return dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

// Check refuses an address that the target of the request leads to, if the workflow may not
// reach it. alone is set if the name of the target is not enough to reach the address, so
// that no other request may use the connection.
func Check(ctx context.Context, address netip.AddrPort) (alone bool, err error) {
	target, ok := ctx.Value(dialKey{}).(action.Target)
	if !ok {
		return false, errors.New("a request without a target reaches no address")
	}
	return checkAddress(ctx, target, address)
}

// checkAddress refuses a protected address, unless the workflow lists that address or the
// target is localhost.
func checkAddress(ctx context.Context, target action.Target, address netip.AddrPort) (alone bool, err error) {
	permit := action.ScopeOf(ctx).Permit
	if permit == nil {
		return true, nil // a call of the host itself, which may reach everything
	}
	own, err := ownAddresses()
	if err != nil {
		return false, fmt.Errorf("the addresses of this machine cannot be read: %w", err)
	}
	ip := address.Addr()
	why := protected(ip, own)
	if why == "" {
		return false, nil
	}
	if local := target.Host == "localhost" || strings.HasSuffix(target.Host, ".localhost"); local && ip.Unmap().IsLoopback() {
		return true, nil
	}
	itself := target
	itself.Host = ip.Unmap().WithZone("").String()
	refused := permit(itself)
	if refused == nil {
		return true, nil
	}
	failure := *action.AsError(refused)
	failure.Message = fmt.Sprintf("%s leads to %s, %s: %s", target.Host, itself.Host, why, failure.Message)
	return false, &failure
}
