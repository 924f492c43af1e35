package tenanthttp

import (
	"net/netip"
	"strings"
)

const (
	longestHost  = 253
	longestLabel = 63
)

// canonicalHost returns what a Host line names, in one spelling: lower case, without the port and the dot of the root; an IPv6
// address without brackets. It refuses what no DNS name or address is, with everything that is not ASCII.
func canonicalHost(host string) (string, bool) {
	if strings.HasPrefix(host, "[") {
		literal, port, found := strings.Cut(host[1:], "]")
		ip, err := netip.ParseAddr(literal)
		if !found || !isPort(port) || err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", false
		}
		return ip.String(), true
	}
	if colon := strings.IndexByte(host, ':'); colon >= 0 {
		if !isPort(host[colon:]) {
			return "", false
		}
		host = host[:colon]
	}
	host = strings.TrimSuffix(host, ".")
	if len(host) > longestHost {
		return "", false
	}
	for label := range strings.SplitSeq(host, ".") {
		if !isLabelOfAnyCase(label) {
			return "", false
		}
	}
	return strings.ToLower(host), true
}

// isPort tells whether text may follow a host: nothing, or a colon and a number, which may be missing (RFC 3986, 3.2.3).
func isPort(text string) bool {
	if text == "" {
		return true
	}
	digits := text[1:]
	number := 0
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
		if number = number*10 + int(digits[i]-'0'); number > 0xFFFF {
			return false
		}
	}
	return text[0] == ':'
}

// isLabel tells whether text is a label of a host as canonicalHost returns it.
func isLabel(text string) bool { return isLabelOfAnyCase(text) && strings.ToLower(text) == text }

// isLabelOfAnyCase accepts letters, digits, hyphens but at the ends, and underscores, which browsers accept as well.
func isLabelOfAnyCase(text string) bool {
	if text == "" || len(text) > longestLabel || text[0] == '-' || text[len(text)-1] == '-' {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// isAddress tells whether a canonical host is an IP address.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// cutBase returns what a canonical host has before the first of the base domains that it is, or lies below.
func cutBase(host string, bases []string) (label string, below bool) {
	for _, base := range bases {
		if host == base {
			return "", true
		}
		if before, ok := strings.CutSuffix(host, base); ok && strings.HasSuffix(before, ".") {
			return before[:len(before)-1], true
		}
	}
	return "", false
}
