package catalog

import "time"

// absence is a key that leads to no tenant.
type absence struct {
	until time.Time
	asOf  int64
}

// mostAbsent bounds what is remembered of them in a part. With more, as when somebody tries out names, the master is asked
// more often.
const mostAbsent = 256

// lacks tells whether a key is known to lead to no tenant. p.mu is held.
func (p *part) lacks(k key, now time.Time) bool {
	a, ok := p.absent[k]
	return ok && now.Before(a.until) && now.Round(0).Before(a.until.Round(0))
}

// remember takes note that a key leads to no tenant. p.mu is held.
func (p *part) remember(k key, a absence, now time.Time) {
	if len(p.absent) >= mostAbsent {
		for other, a := range p.absent {
			if !now.Before(a.until) {
				delete(p.absent, other)
			}
		}
	}
	for other := range p.absent { // any will do: it is only asked for once more
		if len(p.absent) < mostAbsent {
			break
		}
		delete(p.absent, other)
	}
	if p.absent == nil {
		p.absent = map[key]absence{}
	}
	p.absent[k] = a
}
