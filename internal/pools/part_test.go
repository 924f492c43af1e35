package pools

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

// What has been opened just before the database was closed, and is handed over after it, is closed.
func TestPartOfAClosedDatabase(t *testing.T) {
	t.Parallel()
	base, err := sql.Open("sqlite", "file:x?mode=memory")
	require.NoError(t, err)
	p := newPart(New(Options{}).newDatabase(Spec{Name: "a"}, nil, true), nil, 1)
	attempt := &opening{done: make(chan struct{})}
	p.opening = attempt
	require.NoError(t, p.close())
	p.finish(attempt, base, nil)
	require.ErrorIs(t, attempt.err, errClosed)
	require.Nil(t, p.pool.Load())
	require.ErrorContains(t, base.PingContext(t.Context()), "closed")
}
