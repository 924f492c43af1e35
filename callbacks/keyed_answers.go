package callbacks

import "time"

// answers are what the resolvers of shard keys have said in one create. It asks about the same key for a row, for its statement,
// and for whether both agree: it gets one answer, and rows with one key are asked about once.
type answers struct {
	last answer
	all  map[placedKey]Place // if there was more than one
}

type placedKey struct {
	set int
	key any
}

type answer struct {
	placedKey

	at Place
}

// placeOf returns where rows with a key are, in canonical form.
func (h *Hooks) placeOf(pass *Pass, set int, key any) (Place, error) {
	known := pass.answers
	if known == nil || !comparableKey(key) {
		return h.shards(set).PlaceOf(pass.Context, key)
	}
	asked := placedKey{set, key}
	if known.last.placedKey == asked {
		return known.last.at, nil
	}
	at, found := known.all[asked]
	if !found {
		var err error
		if at, err = h.shards(set).PlaceOf(pass.Context, key); err != nil {
			return Place{}, err
		}
		known.keep(asked, at)
	}
	known.last = answer{asked, at}
	return at, nil
}

// keep remembers an answer.
func (a *answers) keep(asked placedKey, at Place) {
	switch {
	case a.last.key == nil:
		return // it is the first, and becomes the last
	case a.all == nil:
		a.all = map[placedKey]Place{a.last.placedKey: a.last.at}
	}
	a.all[asked] = at
}

// comparableKey tells whether a canonical key can be compared with ==.
func comparableKey(key any) bool {
	switch key.(type) {
	case int64, uint64, string, [16]byte, time.Time:
		return true
	}
	return false
}
