package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gormtenancy/tenancy"
)

// record is a tenant in the cache. It fits into two neighboring lines of a processor's cache.
type record struct {
	node // of its ID

	placement tenancy.Placement
	rest      *rest
}

// rest is what Resolve does not need of a tenant.
type rest struct {
	id               string // if the node does not have it
	name             string // "": the ID
	domains          []string
	attributes       []attribute // a map would take several times as much
	state            State
	shape            Shape
	epoch, version   int64
	models, reason   string
	created, updated int64        // as the store writes times
	refusal          error        // why Resolve does not serve it
	asOf             atomic.Int64 // an epoch at which it was so
}

type attribute struct{ name, value string }

// newRecord packs a tenant. What few tenants have for themselves is one string, and what many share is shared.
func (c *cache) newRecord(t Tenant, hash uint64, asOf int64) *record {
	name := t.Name
	if name == string(t.ID) {
		name = ""
	}
	id := string(t.ID)
	if len(id) <= longestShort {
		id = ""
	}
	own := packer{}
	own.size(id, name, t.Reason)
	own.size(t.Domains...)
	for _, value := range t.Attributes {
		own.size(value)
	}
	if t.Placement.Exclusive {
		own.size(t.Placement.Shard, t.Placement.Schema)
	}
	own.text.Grow(own.bytes)

	r := &record{placement: t.Placement, rest: &rest{
		id: own.add(id), name: own.add(name), state: State(c.shared.get(string(t.State))), shape: Shape(c.shared.get(string(t.Shape))),
		epoch: t.Epoch, version: t.Version, models: c.shared.get(t.Models), reason: own.add(t.Reason),
		created: micros(t.CreatedAt), updated: micros(t.UpdatedAt), refusal: c.gate.refusal(t),
	}}
	share := c.shared.get
	if t.Placement.Exclusive {
		share = own.add
	}
	r.placement.Shard, r.placement.Schema = share(t.Placement.Shard), share(t.Placement.Schema)
	r.placement.TableSuffix = c.shared.get(t.Placement.TableSuffix)
	for _, d := range t.Domains {
		r.rest.domains = append(slices.Grow(r.rest.domains, len(t.Domains)), own.add(d))
	}
	if len(t.Attributes) > 0 {
		r.rest.attributes = make([]attribute, 0, len(t.Attributes))
		for name, value := range t.Attributes {
			r.rest.attributes = append(r.rest.attributes, attribute{c.shared.get(name), own.add(value)})
		}
	}
	if r.rest.refusal != nil {
		r.flags.Store(refused)
	}
	r.rest.asOf.Store(asOf)
	r.setKey(hash, key{byID, string(t.ID)}, r)
	return r
}

func (r *record) id() string {
	if r.length == 0 {
		return r.rest.id
	}
	return string(r.short[:r.length])
}

// unpack returns a tenant that the caller may change.
func (r *record) unpack() Tenant {
	id := r.id()
	t := Tenant{
		ID: tenancy.ID(id), Name: cmp.Or(r.rest.name, id), Domains: slices.Clone(r.rest.domains), State: r.rest.state, Shape: r.rest.shape,
		Placement: r.placement, Epoch: r.rest.epoch, Version: r.rest.version, Models: r.rest.models, Reason: r.rest.reason,
		CreatedAt: fromMicros(r.rest.created), UpdatedAt: fromMicros(r.rest.updated),
	}
	if len(r.rest.attributes) > 0 {
		t.Attributes = make(map[string]string, len(r.rest.attributes))
		for _, a := range r.rest.attributes {
			t.Attributes[a.name] = a.value
		}
	}
	return t
}

// answers tells whether a key leads to the tenant.
func (r *record) answers(k key) bool {
	switch k.kind {
	case byID:
		return r.id() == k.text
	case byName:
		return cmp.Or(r.rest.name, r.id()) == k.text
	case byDomain:
		return slices.Contains(r.rest.domains, k.text)
	default:
		return false
	}
}

// same tells whether two records say the same.
func (r *record) same(other *record) bool {
	return r.rest.epoch == other.rest.epoch && r.rest.version == other.rest.version && r.rest.models == other.rest.models
}

// gate is what a tenant must have to be served.
type gate struct {
	version int64
	models  string
}

// refusal says why Resolve does not serve a tenant; nil: it does.
func (g gate) refusal(t Tenant) error {
	switch {
	case t.State != Active:
		return fmt.Errorf("%w: it is %s", tenancy.ErrTenantUnavailable, t.State)
	case t.Version < g.version:
		return fmt.Errorf("%w: the tables at its place have version %d, behind the version this program needs, %d: migrate them", tenancy.ErrTenantUnavailable, t.Version, g.version)
	case g.models != "" && t.Models != g.models:
		return fmt.Errorf("%w: the tables at its place were not made for the models of this program: migrate them", tenancy.ErrTenantUnavailable)
	default:
		return nil
	}
}

// packer puts strings that live and die together into one.
type packer struct {
	text  strings.Builder
	bytes int
}

func (p *packer) size(texts ...string) {
	for _, text := range texts {
		p.bytes += len(text)
	}
}

// add returns a copy of text. The room for it must have been asked for.
func (p *packer) add(text string) string {
	from := p.text.Len()
	p.text.WriteString(text)
	return p.text.String()[from:]
}
