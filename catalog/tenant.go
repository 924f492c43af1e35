package catalog

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gormtenancy/tenancy"
)

// Shape is how a tenant is kept apart from the others.
type Shape string

const (
	// SharedTables are rows with the tenant's ID, in tables that all tenants of a shard share.
	SharedTables Shape = "shared"
	// OwnSchema is a schema of the tenant's own in a shard; on MySQL that is a database.
	OwnSchema Shape = "schema"
	// OwnDatabase is a database of the tenant's own beside a shard: on the same server, with SQLite in the same folder.
	OwnDatabase Shape = "database"
)

func (s Shape) known() bool { return s == SharedTables || s == OwnSchema || s == OwnDatabase }

// Tenant is what the catalog knows of a tenant.
type Tenant struct {
	ID         tenancy.ID
	Name       string            // unique, for people
	Domains    []string          // at which it is reached, unique over all tenants: lower case, without port and trailing dot
	Attributes map[string]string // region, plan, …
	State      State
	Shape      Shape
	Placement  tenancy.Placement
	Epoch      int64     // of its last change; it grows with every change of the catalog
	Version    int64     // of the schema at its place, as migrate noted it; 0: none
	Models     string    // fingerprint of the models migrated there; "": none
	Reason     string    // of the last change of its state or place
	CreatedAt  time.Time // UTC
	UpdatedAt  time.Time // UTC; by the clock of who made the change, before it was committed
}

// NewTenant is what [Catalog.Create] is told. All but the ID may be left out.
type NewTenant struct {
	ID         tenancy.ID
	Name       string // zero: the ID
	Domains    []string
	Attributes map[string]string
	Shape      Shape   // zero: SharedTables
	On         *string // the shard on which, or beside which, it is to be. Zero: Config.Strategy chooses
	Reason     string
}

const (
	longestID        = 63  // as package tenancy has it
	longestName      = 255 // of tenants, domains and shards, in bytes
	longestText      = 2000
	mostOfAttributes = 1 << 16 // bytes of all names and values: each process caches them
)

// tenant returns n as a tenant without a place, or what is wrong with it.
func (n NewTenant) tenant() (Tenant, error) {
	t := Tenant{ID: n.ID, Name: n.Name, Domains: n.Domains, Attributes: n.Attributes, Shape: n.Shape, State: Creating, Reason: n.Reason}
	if t.Name == "" {
		t.Name = string(t.ID)
	}
	if t.Shape == "" {
		t.Shape = SharedTables
	}
	if err := checkName(string(t.ID), longestID); err != nil {
		return t, fmt.Errorf("%w: %w", tenancy.ErrInvalidTenant, err)
	}
	if !t.Shape.known() {
		return t, fmt.Errorf("%w: there is no shape %q", tenancy.ErrInvalidTenant, t.Shape)
	}
	return t, t.tidy()
}

// tidy brings what people write into the form in which it is stored and compared.
func (t *Tenant) tidy() error {
	if err := checkName(t.Name, longestName); err != nil {
		return fmt.Errorf("%w: its name: %w", tenancy.ErrInvalidTenant, err)
	}
	var domains []string
	for _, d := range t.Domains {
		d, ok := canonicalDomain(d)
		if !ok {
			return fmt.Errorf("%w: one of its domains is not the name of a host", tenancy.ErrInvalidTenant)
		}
		domains = append(domains, d)
	}
	slices.Sort(domains)
	t.Domains = slices.Compact(domains)
	if err := checkAttributes(t.Attributes); err != nil {
		return fmt.Errorf("%w: %w", tenancy.ErrInvalidTenant, err)
	}
	if t.Attributes = maps.Clone(t.Attributes); len(t.Attributes) == 0 {
		t.Attributes = nil
	}
	t.Reason = plainText(t.Reason)
	return nil
}

// checkName reports what is wrong with a name, without repeating it.
func checkName(name string, most int) error {
	switch {
	case name == "":
		return errors.New("it is empty")
	case len(name) > most:
		return fmt.Errorf("it has %d bytes, the most is %d", len(name), most)
	case !utf8.ValidString(name):
		return errors.New("it is not valid UTF-8")
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return fmt.Errorf("it has the control character %U", r)
		}
	}
	return nil
}

func checkAttributes(attributes map[string]string) error {
	size := 0
	for key, value := range attributes {
		if size += len(key) + len(value); size > mostOfAttributes {
			return fmt.Errorf("the attributes have more than %d bytes", mostOfAttributes)
		}
		if key == "" || !utf8.ValidString(key) || !utf8.ValidString(value) {
			return errors.New("the name of an attribute is empty, or one is not valid UTF-8")
		}
	}
	return nil
}

// canonicalDomain returns a domain as it is stored: what a Host header says, in lower case, without the port and the dot of
// the root. An IPv6 address has no brackets.
func canonicalDomain(host string) (string, bool) {
	if !utf8.ValidString(host) { // ToLower would make it valid
		return "", false
	}
	if name, port, err := net.SplitHostPort(host); err == nil {
		if strings.Trim(port, "0123456789") != "" {
			return "", false
		}
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String() // of the spellings that it has, one
	}
	if checkName(host, longestName) != nil || strings.ContainsAny(host, " /\\@?#%[]") {
		return "", false
	}
	return host, !strings.Contains(host, ":") || net.ParseIP(host) != nil
}

// plainText makes a text fit for every database: valid UTF-8 of limited length, and no NUL.
func plainText(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\x00", "�")
	if len(text) <= longestText {
		return text
	}
	end := longestText
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
