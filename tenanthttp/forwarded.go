package tenanthttp

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"

	"github.com/gormtenancy/tenancy"
)

// proxies are those whose headers are believed.
type proxies []netip.Prefix

// include tells whether an address, as http.Request.RemoteAddr has it, is one of them. What has no port is none: middleware that
// writes what a header says has been there.
func (p proxies) include(remote string) bool {
	if len(p) == 0 {
		return false
	}
	peer, err := netip.ParseAddrPort(remote)
	return err == nil && p.contain(peer.Addr())
}

func (p proxies) contain(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return slices.ContainsFunc(p, func(known netip.Prefix) bool { return known.Contains(ip) })
}

// forwardedHost returns the host that a trusted proxy tells in a header; ok is false if it tells none.
func (p proxies) forwardedHost(h http.Header, name string) (host string, ok bool, err error) {
	values := h.Values(name)
	switch {
	case len(values) == 0:
		return "", false, nil
	case textproto.CanonicalMIMEHeaderKey(name) == "Forwarded":
		host, err = p.lastHost(strings.Join(values, ","))
		return host, true, err
	case len(values) > 1: // and no host has a comma
		return "", false, fmt.Errorf("%w: the header %s has several values", tenancy.ErrInvalidTenant, name)
	}
	return values[0], true, nil
}

// lastHost returns the host that the outermost trusted proxy saw; empty if it does not tell.
func (p proxies) lastHost(forwarded string) (string, error) {
	hops, valid := parseForwarded(forwarded)
	if !valid {
		return "", fmt.Errorf("%w: the header Forwarded is malformed", tenancy.ErrInvalidTenant)
	}
	last := len(hops) - 1
	for last > 0 && p.contain(hops[last].client()) {
		last--
	}
	return hops[last].host, nil
}

// hop is an element of a Forwarded header.
type hop struct {
	from, host       string // parameters for and host
	hasFrom, hasHost bool
}

// client returns the address of who sent the request to the proxy; the zero one if the proxy hides it.
func (h *hop) client() netip.Addr {
	if peer, err := netip.ParseAddrPort(h.from); err == nil {
		return peer.Addr()
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(h.from, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return ip
}

// parseForwarded reads the elements (RFC 7239, 4). A value that is not quoted may have colons, as some proxies write them.
func parseForwarded(text string) ([]hop, bool) {
	var hops []hop
	for {
		var h hop
		for {
			name, after, found := strings.Cut(text, "=")
			name = strings.ToLower(strings.Trim(name, " \t"))
			if !found || !isToken(name) {
				return nil, false
			}
			value, rest, ok := cutValue(after)
			if !ok || !h.set(name, value) {
				return nil, false
			}
			if text = rest; !strings.HasPrefix(text, ";") {
				break
			}
			text = text[1:]
		}
		hops = append(hops, h)
		if text == "" {
			return hops, true
		}
		if text[0] != ',' {
			return nil, false
		}
		text = text[1:]
	}
}

// set notes a parameter, which an element has once.
func (h *hop) set(name, value string) bool {
	switch name {
	case "for":
		if h.hasFrom {
			return false
		}
		h.from, h.hasFrom = value, true
	case "host":
		if h.hasHost {
			return false
		}
		h.host, h.hasHost = value, true
	}
	return true
}

// cutValue returns the value that text begins with, and what is left: nothing, or what begins with a separator.
func cutValue(text string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, ",; \t\"\\")
		if end < 0 {
			end = len(text)
		}
		return text[:end], strings.TrimLeft(text[end:], " \t"), end > 0
	}
	var unquoted strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return unquoted.String(), strings.TrimLeft(text[i+1:], " \t"), true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
		}
		unquoted.WriteByte(text[i])
	}
	return "", "", false
}
