package pools

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"
)

const (
	shortestPause  = 50 * time.Millisecond // between two measurements
	longestPause   = time.Second
	measureTimeout = time.Second
)

// measure starts to measure how far the replica is behind, if it is time, and reports whether the result is worth waiting
// for.
func (r *replica) measure(ctx context.Context, now int64) (wait bool) {
	bound := r.of.spec.MaxLag
	recent := r.recent(now)
	// While the last measurement is younger than bound, a new one could not be waited for with every read.
	fresh := r.measured.Load() != 0 && now-r.measured.Load() < int64(bound)
	pause := min(max(bound/4, shortestPause), longestPause)
	if asked := r.asked.Load(); asked == 0 || now-asked >= int64(pause) || (!recent && !fresh) {
		r.begin(ctx, now)
	}
	return !recent && !fresh && r.measuring.Load() && now-r.asked.Load() < int64(patience)
}

func (r *replica) begin(ctx context.Context, now int64) {
	if !r.measuring.CompareAndSwap(false, true) {
		return
	}
	if !r.of.lease() {
		r.measuring.Store(false)
		return
	}
	r.asked.Store(now)
	go func() {
		defer r.of.Done()
		defer r.of.announce()
		defer r.measuring.Store(false)
		ctx, cancel := r.of.set.detach(ctx, measureTimeout)
		defer cancel()
		has, err := r.of.caughtUp(ctx, r.pool.Load())
		if err == nil {
			if has == 0 {
				has = -1 // 0 says that it is not known
			}
			r.has.Store(has)
		}
		r.measured.Store(r.of.set.now())
	}()
}

var (
	errCutOff = errors.New("the replica does not replicate")
	errBehind = errors.New("the replica is further behind than is remembered")
)

// caughtUp returns a time by which all that was committed is on the replica.
func (d *Database) caughtUp(ctx context.Context, replica *Pool) (int64, error) {
	if d.set.options.Dialect == "mysql" {
		now := d.set.now()
		behind, err := secondsBehind(ctx, replica.plain)
		replica.Report(ctx, unlessStatus(err))
		return now - int64(behind), err
	}
	if _, err := d.usable(d.primary); err != nil {
		return 0, err
	}
	now := d.set.now()
	written, err := readLSN(ctx, d.primary.plain, "SELECT pg_current_wal_lsn()::text")
	d.primary.Report(ctx, err)
	if err != nil {
		return 0, err
	}
	d.wal.add(sample{at: now, lsn: written}, int64(d.spec.MaxLag))
	// Empty: it is no standby, so there is nothing to wait for. NULL, that is "0/0": it has replayed nothing.
	const replayed = "SELECT CASE WHEN pg_is_in_recovery() THEN COALESCE(pg_last_wal_replay_lsn()::text, '0/0') ELSE '' END"
	lsn, err := readLSN(ctx, replica.plain, replayed)
	replica.Report(ctx, err)
	if err != nil {
		return 0, err
	}
	if lsn == noStandby {
		return now, nil
	}
	at, ok := d.wal.reached(lsn)
	if !ok {
		return 0, errBehind
	}
	return at, nil
}

// sample says that all that was committed by a time is in the log up to a position.
type sample struct {
	at  int64 // taken before the primary was asked, so that what is committed in between cannot be missed
	lsn uint64
}

// wal is the recent history of a primary's write-ahead log, in order of time and position.
//
// The positions are those of pg_current_wal_lsn. A transaction committed with synchronous_commit = off may be visible on
// the primary for up to three times wal_writer_delay (600 ms by default) before it is there.
type wal struct {
	mu      sync.Mutex
	samples []sample
}

// samplesKept is how many samples there are of the time within the bound.
const samplesKept = 32

// add remembers a sample and forgets those older than bound, all but the newest of them.
func (w *wal) add(s sample, bound int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.samples)
	if n > 0 && s.lsn < w.samples[n-1].lsn {
		if s.at > w.samples[n-1].at {
			w.samples = w.samples[:0] // another server has become the primary
		} else {
			return // two measurements have overtaken each other
		}
		n = 0
	}
	if n > 0 && s.at < w.samples[n-1].at {
		return
	}
	// The last one is always the newest; those before it keep a distance, so that they reach far enough back.
	if n > 1 && s.at-w.samples[n-2].at < bound/samplesKept {
		w.samples[n-1] = s
	} else {
		w.samples = append(w.samples, s)
	}
	old := 0
	for old+1 < len(w.samples) && s.at-w.samples[old+1].at > bound {
		old++
	}
	w.samples = append(w.samples[:0], w.samples[old:]...)
}

// reached returns the time of the newest sample that a replica which has replayed up to lsn has.
func (w *wal) reached(lsn uint64) (at int64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.samples {
		if s.lsn > lsn {
			break
		}
		at, ok = s.at, true
	}
	return at, ok
}

// noStandby is a position no log has: the last one.
const noStandby = ^uint64(0)

// readLSN returns the position that a query answers with.
func readLSN(ctx context.Context, pool gorm.ConnPool, query string) (uint64, error) {
	var text string
	if err := pool.QueryRowContext(ctx, query).Scan(&text); err != nil {
		return 0, err
	}
	if text == "" {
		return noStandby, nil
	}
	return parseLSN(text)
}

var errLSN = errors.New("not a position in a write-ahead log")

// parseLSN reads the text of a pg_lsn: the upper and the lower half in hexadecimal, as in 16/B374D848.
func parseLSN(text string) (uint64, error) {
	high, low, ok := strings.Cut(text, "/")
	if !ok {
		return 0, fmt.Errorf("%w: %q", errLSN, text)
	}
	h, err := strconv.ParseUint(high, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: %q", errLSN, text)
	}
	l, err := strconv.ParseUint(low, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: %q", errLSN, text)
	}
	return h<<32 | l, nil
}

// secondsBehind returns what a MySQL or MariaDB server says of its delay, in whole seconds: the longest one if it
// replicates from several, 0 if it is no replica.
func secondsBehind(ctx context.Context, pool gorm.ConnPool) (time.Duration, error) {
	// The older statement is gone in MySQL 8.4, the newer one came with MySQL 8.0.22 and MariaDB 10.5.1.
	behind, err := replicaStatus(ctx, pool, "SHOW REPLICA STATUS")
	if err == nil || errors.Is(err, errCutOff) || judge(ctx, err) != reached {
		return behind, err
	}
	return replicaStatus(ctx, pool, "SHOW SLAVE STATUS")
}

func replicaStatus(ctx context.Context, pool gorm.ConnPool, query string) (_ time.Duration, err error) {
	rows, err := pool.QueryContext(ctx, query)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	values := make([]sql.NullString, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	var longest time.Duration
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return 0, err
		}
		behind, err := delayOf(columns, values)
		if err != nil {
			return 0, err
		}
		longest = max(longest, behind)
	}
	return longest, rows.Err()
}

// delayOf reads one row of the status. The column is called Source in the newer MySQL and Master elsewhere.
func delayOf(columns []string, values []sql.NullString) (time.Duration, error) {
	for i, column := range columns {
		if column != "Seconds_Behind_Source" && column != "Seconds_Behind_Master" {
			continue
		}
		if !values[i].Valid {
			return 0, errCutOff
		}
		seconds, err := strconv.ParseInt(values[i].String, 10, 32)
		return time.Duration(seconds) * time.Second, err
	}
	return 0, errCutOff
}

// unlessStatus leaves out what the status of a replica says: the server did answer.
func unlessStatus(err error) error {
	if errors.Is(err, errCutOff) {
		return nil
	}
	return err
}
