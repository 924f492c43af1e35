package catalog

import (
	"context"
	"errors"
	"time"

	"github.com/gormtenancy/tenancy/internal/notify"
)

// listener is a [source] that tells of changes by itself, if it can.
type listener interface {
	// listen calls heard when it has begun, and after each change, until ctx ends or the connection is lost.
	listen(ctx context.Context, heard func()) error
}

var _ listener = (*store)(nil)

func (s *store) listen(ctx context.Context, heard func()) error {
	if most := s.db.Stats().MaxOpenConnections; s.dialect != "postgres" || most > 0 && most < fewestForLocks {
		return notify.ErrUnsupported // listening keeps a connection, and a small pool has none to spare
	}
	return notify.Listen(ctx, s.db, notifyChannel, heard)
}

const (
	leastListenRetry = time.Second
	mostListenRetry  = time.Minute
)

// listen makes changes arrive sooner where it works. Where it does not, checks go on at their pace.
func (w *watch) listen(ctx context.Context) {
	from, ok := w.source.(listener)
	if !ok {
		return
	}
	for wait := leastListenRetry; ; wait = min(2*wait, mostListenRetry) {
		err := from.listen(ctx, func() {
			wait = leastListenRetry
			w.nudge()
		})
		if ctx.Err() != nil || errors.Is(err, notify.ErrUnsupported) {
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}
