package rowsecurity

import "context"

// Shares tells whether a pooler gives the server connections of pool to other clients between transactions: what is set on one
// outside a transaction then is there for them too. pool is a *sql.DB or a *sql.Conn; of other drivers than pgx nothing is
// known, and the answer is no.
func Shares(ctx context.Context, pool any) (bool, error) {
	l, err := borrow(ctx, pool)
	if err != nil {
		return false, err
	}
	defer l.release()
	if l.pgx == nil {
		return false, nil
	}
	var process int64
	if err := l.conn.QueryRowContext(ctx, "SELECT pg_backend_pid()", unprepared(sessionOf(l.pgx).mode)).Scan(&process); err != nil {
		return false, err
	}
	if int64(l.pgx.PgConn().PID()) == process { // see mixedUp
		return false, nil
	}
	p, err := probe(ctx, l.pgx)
	return p.shares, err
}
