//go:build race

package tenancytest

// raced means that the race detector looks on, which takes several times as long.
const raced = true
