package idgen

import (
	"math"
	"time"
)

// Node is the number that tells a process from all others that make IDs of the same [Layout] at the same time. Two processes that
// have the same number make the same IDs. So it is given, by hand or by a table of numbers that are lent, and never guessed from
// addresses, names of hosts or chance.
//
// An implementation that lends numbers follows these rules:
//
//  1. Number always returns the same number. A process that gets another one makes a new generator.
//  2. Held returns the span of time in which the number is this process's alone: IDs get times within it, and no others. Its
//     end may move on, while the number is lent again before it runs out.
//  3. The spans of two holders of a number do not overlap. So the next holder's begins at the end of the last one's, even
//     if that ended early, and what the clocks of the two machines say does not matter.
//  4. Held is called for each ID: it answers from memory, and concurrently with whatever moves the end.
type Node interface {
	Number() int
	// Held includes from, and excludes until.
	Held() (from, until time.Time)
}

// FixedNode is a number that is this process's for good: an ordinal of a StatefulSet, or an entry in the machine's
// configuration. The caller vouches that no other process has it, and that the clock did not go back while the process was
// restarted; see [FixedNodeAfter].
func FixedNode(number int) Node {
	return fixedNode{number: number}
}

// FixedNodeAfter is [FixedNode] for a process whose clock can have gone back while it was not running: all IDs get times after
// newest, the time of the newest ID that was made with this number. That is the time of the highest ID in the table, or at the
// most the present time plus the step back that the caller reckons with. IDs are made at once as long as the clock is
// behind newest by no more than Config.MaxBackwards.
func FixedNodeAfter(number int, newest time.Time) Node {
	return fixedNode{number: number, from: newest.Truncate(time.Millisecond).Add(time.Millisecond)}
}

type fixedNode struct {
	number int
	from   time.Time
}

// Number implements [Node].
func (n fixedNode) Number() int { return n.number }

// Held implements [Node].
func (n fixedNode) Held() (from, until time.Time) { return n.from, time.UnixMilli(math.MaxInt64) }
