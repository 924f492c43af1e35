package fanout

import "sync"

// generations is a cache of two maps. What is not asked for while the young one fills up goes with the old one.
type generations[K comparable, V any] struct {
	most int // that each of them holds

	mu         sync.RWMutex
	young, old map[K]V
}

func (g *generations[K, V]) get(key K) (V, bool) {
	g.mu.RLock()
	v, ok := g.young[key]
	if ok {
		g.mu.RUnlock()
		return v, true
	}
	v, ok = g.old[key]
	g.mu.RUnlock()
	if ok {
		g.put(key, v)
	}
	return v, ok
}

func (g *generations[K, V]) put(key K, v V) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.young == nil || len(g.young) >= g.most {
		g.old, g.young = g.young, map[K]V{}
	}
	g.young[key] = v
}
