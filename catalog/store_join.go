package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/gormtenancy/tenancy"
)

// join notes how stale this process may be, so that others wait long enough for it. It must be there before the first look-up.
func (s *store) join(ctx context.Context, maxStale time.Duration) error {
	if _, err := s.epoch(ctx); err != nil {
		return err
	}
	if maxStale <= s.maxStale() {
		return nil // and a role that may only read is enough
	}
	ms := (maxStale + time.Millisecond - 1).Milliseconds()
	err := s.retry(ctx, func() error {
		_, err := s.db.ExecContext(ctx, s.bind(`UPDATE tenancy_catalog SET max_stale_ms = ? WHERE id = 1 AND max_stale_ms < ?`), ms, ms)
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: catalog: MaxStale is more than any process has had so far, %s, and cannot be noted in the master: open the catalog once with a role that may, or lower it: %w",
			tenancy.ErrInvalidConfig, s.maxStale(), err)
	}
	_, err = s.epoch(ctx)
	return err
}
