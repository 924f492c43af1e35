package catalog

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gormtenancy/tenancy"
)

// store is the catalog in the master database. It speaks SQL through database/sql, not through GORM: plugins of the master's,
// such as one that reads from replicas, would give answers that are older than the epoch that goes with them.
type store struct {
	db      *sql.DB
	dialect string // of the master, as GORM's dialectors call it: postgres, mysql or sqlite
	tenants string // that of the tenants' databases
	writing chan struct{}
	watched watched
	stalest atomic.Int64 // the largest MaxStale of any process, in milliseconds, as last read
}

func newStore(db *sql.DB, dialect, tenants string) *store {
	return &store{db: db, dialect: dialect, tenants: tenants, writing: make(chan struct{}, 1)}
}

// notifyChannel is where PostgreSQL tells of changes. The payload is the epoch.
const notifyChannel = "tenancy_catalog"

// key is what a tenant or a shard is looked up by.
type key struct {
	kind keyKind
	text string // domains: as canonicalDomain returns them
}

type keyKind uint8

const (
	byID keyKind = iota
	byName
	byDomain
	byShard // with loadShard alone
)

// change is what a change of the catalog makes out of date: a tenant, with the name and the domains by which it was or is
// found, and a shard. All means every tenant: their number has no bound, such as those of a place that many share.
type change struct {
	epoch   int64
	tenant  tenancy.ID // "": none
	name    string     // the tenant's, after the change
	domains []string   // the tenant's, before and after the change
	shard   string     // if aShard
	aShard  bool       // shard may be ""
	all     bool
}

// bind writes ? as PostgreSQL wants it. None of the texts here has a ? that is no parameter.
func (s *store) bind(text string) string {
	if s.dialect != "postgres" {
		return text
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(text, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		text = after
	}
}

// querier is a [sql.DB] or a [sql.Tx].
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// each calls scan for each row of an answer, until scan returns an error.
func (s *store) each(ctx context.Context, q querier, scan func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := q.QueryContext(ctx, s.bind(query), args...)
	if err != nil {
		return err
	}
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// micros is how times are stored: as numbers, which no driver and no time zone of a session reads differently.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }
