package difftest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// chain is what one throw of the dice makes.
type chain struct {
	steps []step
	dirty bool // the fixture has rows that point at other tenants' rows
	warm  bool // another tenant runs it first, so that nothing of his is left in a cache
}

func (c chain) writes() bool {
	return slices.ContainsFunc(c.steps, func(s step) bool { return s.writes })
}

func (c chain) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dirty: %v, warm: %v\n", c.dirty, c.warm)
	for _, s := range c.steps {
		fmt.Fprintf(&b, "  %s\n", s.text)
		if s.refusable {
			b.WriteString("    (may be refused)\n")
		}
	}
	return b.String()
}

// singles are the steps that fit in a transaction.
func (g *generator) singles() []func() step {
	return []func() step{
		g.query, g.create, g.update, g.remove, g.save, g.association, g.query, g.query, g.generics, g.firstOrCreate,
	}
}

// chainOf makes a chain from bytes.
func chainOf(dialect string, data []byte) chain {
	g := &generator{dice: &dice{data: data}, dialect: dialect, models: models()}
	c := chain{dirty: g.oneIn(6), warm: g.oneIn(4)}
	for range 1 + g.n(3) {
		switch g.n(10) {
		case 8:
			c.steps = append(c.steps, g.one(g.transaction))
		case 9:
			if g.oneIn(3) {
				c.steps = append(c.steps, g.one(g.raw))
				continue
			}
			c.steps = append(c.steps, g.one(g.transaction))
		default:
			c.steps = append(c.steps, g.one(g.singles()...))
		}
	}
	return c
}

// pair is a database of one tenant, and one that holds three.
type pair struct {
	plain, shared *database
	base          int
	stats         map[string]int
}

// difference is where the two disagree.
type difference struct {
	step         int
	what         string
	plain, other string
}

func (d *difference) String() string {
	return fmt.Sprintf("step %d: %s\n  plain:  %s\n  plugin: %s", d.step+1, d.what, d.plain, d.other)
}

// reset puts both databases back to the fixture.
func (p *pair) reset(ctx context.Context, dirty bool) error {
	p.base += 1000
	if p.base < firstBase {
		p.base = firstBase
	}
	base := firstBase
	if p.plain.dialect == "mysql" {
		base = p.base
	}
	for _, d := range []*database{p.plain, p.shared} {
		if err := d.reset(ctx, base, dirty); err != nil {
			return err
		}
	}
	return nil
}

// settled tells which of the databases the last chain has left with a connection in use, and replaces those. A panic inside
// of GORM leaves a transaction open.
func (p *pair) settled() (locked string, err error) {
	if p.plain.pool.Stats().InUse > 0 {
		locked = "plain"
		if p.plain, err = p.plain.again(); err != nil {
			return locked, err
		}
	}
	if p.shared.pool.Stats().InUse > 0 {
		locked += "plugin"
		p.shared, err = p.shared.again()
	}
	return locked, err
}

// compare runs a chain on both and tells where they differ; nil if they do not.
func (p *pair) compare(ctx context.Context, c chain) (*difference, error) {
	if err := p.reset(ctx, c.dirty); err != nil {
		return nil, err
	}
	before, err := p.shared.read(ctx)
	if err != nil {
		return nil, err
	}
	if c.warm && !c.writes() {
		for _, s := range c.steps {
			guarded(p.shared.side(tenants()[1]), s.run)
		}
	}
	diff, refused, partly := p.runBoth(c)
	if p.plain.dangling(ctx) || p.shared.dangling(ctx) {
		diff, partly = nil, true
	}
	switch locked, err := p.settled(); {
	case err != nil:
		return nil, err
	case locked == "plugin" && diff == nil && !partly:
		return &difference{len(c.steps) - 1, "a connection is still in use", "no", "yes"}, nil
	case locked != "":
		return diff, nil // what the chain wrote is lost with the databases
	}
	if diff == nil && refused >= 0 && !partly { // the steps before it alone
		if err := p.plain.rewind(ctx, p.base0(), c.dirty); err != nil {
			return nil, err
		}
		for _, s := range c.steps[:refused] {
			guarded(p.plain.side(subject), s.run)
		}
		if locked, err := p.settled(); locked != "" || err != nil {
			return nil, err
		}
	}
	after, err := p.shared.read(ctx)
	if err != nil {
		return nil, err
	}
	if gone, come := changes(before.others, after.others); gone+come != "" {
		return &difference{len(c.steps) - 1, "rows of other tenants changed", gone, come}, nil
	}
	if diff != nil || partly {
		return diff, nil
	}
	want, err := p.plain.read(ctx)
	if err != nil {
		return nil, err
	}
	if gone, come := changes(want.own, after.own); gone+come != "" {
		what := "the tenant's rows differ afterwards"
		if refused >= 0 {
			what = "a refused step changed the tenant's rows"
		}
		return &difference{len(c.steps) - 1, what, gone, come}, nil
	}
	return nil, nil
}

func (p *pair) base0() int {
	if p.plain.dialect == "mysql" {
		return p.base
	}
	return firstBase
}

// runBoth runs the steps on both sides, until one is refused that may be; partly means that what it has done by then is not
// to be compared.
func (p *pair) runBoth(c chain) (diff *difference, refused int, partly bool) {
	plain, shared := p.plain.side(subject), p.shared.side(subject)
	for i, s := range c.steps {
		want, got := guarded(plain, s.run), guarded(shared, s.run)
		if ends(want, "panic") { // GORM's own: what came before it is lost, and a transaction may be open
			p.stats["panics"]++
			return nil, i, true // the plugin need not panic too
		}
		for k := range max(len(want), len(got)) {
			var w, o outcome
			if k < len(want) {
				w = want[k]
			}
			if k < len(got) {
				o = got[k]
			}
			p.stats["outcomes"]++
			if w.class != "" {
				p.stats["error: "+w.class]++
			}
			if w.text() == o.text() {
				continue
			}
			if o.refused && (s.refusable || c.dirty && s.writes) {
				p.stats["refused"]++
				return nil, i, false
			}
			for _, a := range acceptedDifferences() {
				if a.fits(s, p.plain.dialect, w, o) {
					p.stats["accepted"]++
					return nil, i, a.partly
				}
			}
			return &difference{i, "results differ", w.String(), o.String()}, -1, false
		}
		if s.leavesOut() {
			return nil, i, true
		}
	}
	return nil, -1, false
}

func ends(out []outcome, class string) bool { return len(out) > 0 && out[len(out)-1].class == class }

// changes lists what is in one sorted list and not in the other.
func changes(a, b []string) (gone, come string) {
	var left, right []string
	for _, line := range a {
		if _, found := slices.BinarySearch(b, line); !found {
			left = append(left, line)
		}
	}
	for _, line := range b {
		if _, found := slices.BinarySearch(a, line); !found {
			right = append(right, line)
		}
	}
	if len(left) == 0 && len(right) == 0 && len(a) != len(b) {
		return fmt.Sprint(len(a), " rows"), fmt.Sprint(len(b), " rows")
	}
	return strings.Join(left, "; "), strings.Join(right, "; ")
}

// shrinkTime is how long a failing chain is made smaller.
const shrinkTime = 5 * time.Second

// shrink sets choices to the simplest while the chain still fails.
func (p *pair) shrink(ctx context.Context, data []byte, what string) []byte {
	deadline := time.Now().Add(shrinkTime)
	fails := func(data []byte) bool {
		if time.Now().After(deadline) {
			return false
		}
		diff, err := p.compare(ctx, chainOf(p.plain.dialect, data))
		return err == nil && diff != nil && diff.what == what
	}
	best := slices.Clone(data)
	for tries := 0; len(best) > 1 && tries < 12; tries++ {
		half := best[:len(best)/2]
		if !fails(half) {
			break
		}
		best = slices.Clone(half)
	}
	for size := 16; size >= 1; size /= 2 {
		for at := 0; at+size <= len(best); at += size {
			cut := append(slices.Clone(best[:at]), best[at+size:]...)
			if fails(cut) {
				best = cut
				at -= size
				continue
			}
			zero := slices.Clone(best)
			clear(zero[at : at+size])
			if !slices.Equal(zero, best) && fails(zero) {
				best = zero
			}
		}
	}
	return best
}
