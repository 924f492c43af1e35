package shardtest

import "math/rand/v2"

// dice turns bytes into choices. When they have run out, every choice is the first one, which is the simplest.
type dice struct {
	data []byte
	at   int
}

// throw returns the bytes of the n-th chain of a seed.
func throw(seed, n uint64, size int) []byte {
	rng := rand.New(rand.NewPCG(seed, n))
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return data
}

// n returns a number below k.
func (d *dice) n(k int) int {
	if k <= 1 || d.at >= len(d.data) {
		return 0
	}
	d.at++
	return int(d.data[d.at-1]) % k
}

// oneIn is true once in k times.
func (d *dice) oneIn(k int) bool { return d.n(k) == k-1 }

func pick[T any](d *dice, of ...T) T { return of[d.n(len(of))] }
