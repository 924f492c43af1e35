package catalog

// apply drops what changes have made out of date, and keeps out what was read before them. What is there already as of a
// change stays.
func (c *cache) apply(changes ...change) {
	for _, ch := range changes {
		if ch.all {
			c.dropAll(ch.epoch)
			continue
		}
		if ch.tenant != "" {
			c.drop(key{byID, string(ch.tenant)}, ch.epoch)
		}
		if ch.name != "" {
			c.drop(key{byName, ch.name}, ch.epoch)
		}
		for _, d := range ch.domains {
			c.drop(key{byDomain, d}, ch.epoch)
		}
		if ch.aShard {
			c.shards.drop(ch.shard, ch.epoch)
		}
	}
}

func (c *cache) drop(k key, epoch int64) {
	hash := c.hash(k)
	p := c.part(hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropped = max(p.dropped, epoch)
	if a, ok := p.absent[k]; ok && a.asOf < epoch {
		delete(p.absent, k)
	}
	if k.kind == byID {
		if e := p.tenants.get(hash, k); e != nil && e.tenant.rest.asOf.Load() < epoch {
			c.forget(p, e)
		}
	} else if e := p.aliases.get(hash, k); e != nil && e.tenant.rest.asOf.Load() < epoch {
		c.forgetAlias(p, e)
	}
}

func (c *cache) dropAll(epoch int64) {
	for i := range c.parts {
		p := &c.parts[i]
		p.mu.Lock()
		p.dropped = max(p.dropped, epoch)
		c.clear(p, epoch)
		p.mu.Unlock()
	}
	c.shards.dropAll(epoch)
}

// restart drops all, as the epochs that are known are those of another copy of the master. What is being read from that one
// stays out too.
func (c *cache) restart(epoch int64) {
	c.restarts.Add(1)
	for i := range c.parts {
		p := &c.parts[i]
		p.mu.Lock()
		p.dropped = epoch
		c.clear(p, everything)
		p.flights = nil // who comes now waits for none of them
		p.mu.Unlock()
	}
	c.shards.restart(epoch)
}

const everything = int64(1<<63 - 1)

// clear drops what is older than an epoch. p.mu is held.
func (c *cache) clear(p *part, epoch int64) {
	for k, a := range p.absent {
		if a.asOf < epoch {
			delete(p.absent, k)
		}
	}
	p.aliases.each(func(e *node) {
		if e.tenant.rest.asOf.Load() < epoch {
			c.forgetAlias(p, e)
		}
	})
	p.tenants.each(func(e *node) {
		if e.tenant.rest.asOf.Load() < epoch {
			c.forget(p, e)
		}
	})
}
