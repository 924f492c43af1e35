package rowsecurity

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// poolerRounds is how often two clients try to get the same server connection. PgBouncer hands out the one used last,
	// so that an idle pooler needs one round.
	poolerRounds = 20
	// poolerPatience is how long the second client waits for a server connection: one that pools sessions, and has none
	// left, lets it wait until the first client leaves.
	poolerPatience = 3 * time.Second
	// alreadyPrepared is the error code duplicate_prepared_statement.
	alreadyPrepared = "42P05"
)

// pooler is what was found out about the pooler between us and the server.
type pooler struct {
	shares bool // one server connection serves several clients by turns
	mixes  bool // and the prepared statements of one are in the way of another
}

// probe finds out what the pooler does with two clients. It frees what it has prepared; where the pooler is busy, a
// statement of a name that nobody else has may stay on a server connection until that is closed.
func probe(ctx context.Context, first *pgx.Conn) (p pooler, err error) {
	// A connection of its own, not of the pool, which may have no more than one.
	config := first.Config()
	config.Tracer = nil
	limited, cancel := context.WithTimeout(ctx, poolerPatience)
	defer cancel()
	second, err := pgx.ConnectConfig(limited, config)
	if err != nil {
		return p, err
	}
	defer func() {
		if closed := second.Close(context.WithoutCancel(ctx)); err == nil {
			err = closed
		}
	}()
	for range poolerRounds {
		err = p.round(ctx, limited, first.PgConn(), second.PgConn())
		if ctx.Err() == nil && limited.Err() != nil {
			return p, nil // our patience is over: who waits for a server connection shares none
		}
		if p.mixes || err != nil {
			return p, err
		}
	}
	return p, nil
}

// round has the first client prepare a statement and the second one the same, on the same server connection if it can be
// had. The second one's transaction holds on to the server connection meanwhile.
func (p *pooler) round(ctx, limited context.Context, first, second *pgconn.PgConn) (err error) {
	name := "tenancy_probe_" + rand.Text()
	if _, err := first.Prepare(ctx, name, "SELECT 1", nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, first.Deallocate(ctx, name)) }()
	before, err := backend(ctx, first, "SELECT pg_backend_pid()")
	if err != nil {
		return err
	}
	now, err := backend(limited, second, "BEGIN; SELECT pg_backend_pid()")
	if err != nil {
		return err
	}
	_, err = second.Prepare(limited, name, "SELECT 1", nil)
	var refused *pgconn.PgError
	mixes := errors.As(err, &refused) && refused.Code == alreadyPrepared
	if mixes {
		err = nil
	}
	p.mixes = p.mixes || mixes
	p.shares = p.shares || mixes || before == now
	freed := second.Deallocate(limited, name) // what the first one has prepared, if it is here
	_, ended := second.Exec(limited, "ROLLBACK").ReadAll()
	return errors.Join(err, freed, ended)
}

// backend returns the number of the server's process, which comes last in the text.
func backend(ctx context.Context, conn *pgconn.PgConn, text string) (string, error) {
	results, err := conn.Exec(ctx, text).ReadAll()
	if err != nil {
		return "", err
	}
	rows := results[len(results)-1].Rows
	return string(rows[0][0]), nil
}
