package idgen_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/gormtenancy/tenancy/idgen"
)

// A process makes IDs with a number that no other process has, here 3.
func Example() {
	g, err := idgen.New(idgen.Config{Node: idgen.FixedNode(3)})
	if err != nil {
		panic(err)
	}
	id, err := g.Next(42)
	if err != nil {
		panic(err)
	}
	parts, err := idgen.DefaultLayout().Decode(id)
	if err != nil {
		panic(err)
	}
	fmt.Println(id > 0, parts.Shard, parts.Node, time.Since(parts.Time) < time.Minute)
	// Output: true 42 3 true
}

// A process without a number makes no IDs.
func ExampleNew_withoutNode() {
	_, err := idgen.New(idgen.Config{})
	fmt.Println(err)
	fmt.Println(errors.Is(err, idgen.ErrInvalidConfig))
	// Output:
	// idgen: invalid configuration: Config.Node is missing: give each process a number of its own, such as FixedNode(0)
	// true
}

// Numbers from elsewhere, such as those of AUTO_INCREMENT, have no shard.
func ExampleLayout_Shard() {
	shard, err := idgen.DefaultLayout().Shard(251_152_080_297_787_712)
	fmt.Println(shard, err)
	_, err = idgen.DefaultLayout().Shard(4711)
	fmt.Println(err)
	// Output:
	// 5 <nil>
	// idgen: not an ID of this kind: it is too small, as the numbers of AUTO_INCREMENT and sequences are
}

// The rows of a day are those between two IDs.
func ExampleLayout_First() {
	l := idgen.DefaultLayout()
	day := time.Date(2026, time.November, 25, 0, 0, 0, 0, time.UTC)
	first, err := l.First(day)
	if err != nil {
		panic(err)
	}
	end, err := l.First(day.AddDate(0, 0, 1))
	if err != nil {
		panic(err)
	}
	fmt.Printf("WHERE id >= %d AND id < %d\n", first, end)
	// Output: WHERE id >= 251134790860800000 AND id < 251497178726400000
}

// A layout whose IDs are exact numbers in JavaScript: 53 bits, for 17 years, 64 shards and 16 processes.
func ExampleLayout_javaScript() {
	l := idgen.Layout{
		Epoch:        time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC),
		TimeBits:     39,
		ShardBits:    6,
		NodeBits:     4,
		SequenceBits: 4,
	}
	last, err := l.Decode(1<<53 - 1)
	if err != nil {
		panic(err)
	}
	fmt.Println(last.Time.Year(), last.Shard, last.Node)
	// Output: 2043 63 15
}

// UUIDs need no number of the process. They convert to the types of other packages.
func ExampleUUIDv7Generator() {
	var g idgen.UUIDv7Generator
	id, err := g.Next(5)
	if err != nil {
		panic(err)
	}
	text := uuid.UUID(id).String()
	fmt.Println(text[14:15], text[19:23])
	shard, err := idgen.ShardOfUUID(id)
	fmt.Println(shard, err)
	// Output:
	// 7 8005
	// 5 <nil>
}

// lent is a number from a table of numbers, lent until a time that a loop moves on; this one has just run out.
type lent struct {
	number      int
	from, until time.Time
}

func (l lent) Number() int                   { return l.number }
func (l lent) Held() (from, until time.Time) { return l.from, l.until }

// A number that is lent makes no IDs beyond its time, so that its next holder can begin there.
func ExampleNode() {
	now := time.Now()
	g, err := idgen.New(idgen.Config{Node: lent{number: 7, from: now.Add(-time.Minute), until: now}})
	if err != nil {
		panic(err)
	}
	_, err = g.Next(1)
	fmt.Println(errors.Is(err, idgen.ErrNodeNotHeld))
	// Output: true
}
