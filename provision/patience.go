package provision

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

const (
	patience   = 30 * time.Second // with sessions that are in the way
	firstPause = 20 * time.Millisecond
	longPause  = time.Second
)

// patiently tries again while the server's answer is one of codes: an SQLSTATE, or a number of MySQL's. When its patience
// ends, or ctx after such an answer, it fails with [ErrInUse].
func patiently(ctx context.Context, what string, try func() error, codes ...string) error {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var inUse error
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := try()
		busy := slices.Contains(codes, stateOf(err)) || slices.Contains(codes, strconv.FormatUint(numberOf(err), 10))
		if busy {
			inUse = err
		}
		if !busy && (err == nil || inUse == nil || ctx.Err() == nil) {
			return failed(what, err)
		}
		select {
		case <-patient.Done():
			return &failure{sentinel: ErrInUse, what: what, cause: errors.Join(inUse, ctx.Err())}
		case <-time.After(pause):
		}
	}
}
