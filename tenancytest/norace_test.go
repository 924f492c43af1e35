//go:build !race

package tenancytest

const raced = false
