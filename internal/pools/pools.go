// Package pools holds the databases of a plugin: each with its primary, its replicas and the pool for administration. They
// are opened on first use, bounded in number, closed when they have been idle, and never closed while a statement,
// transaction or sql.Rows uses them. It watches whether they can be reached, and how far replicas are behind.
//
// It knows GORM's dialectors and database/sql, no tenant and no driver.
package pools

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"
)

// Spec says how to open one database.
type Spec struct {
	Name     string
	Primary  gorm.Dialector
	Replicas []gorm.Dialector
	Admin    gorm.Dialector
	Policy   Policy        // nil: random
	MaxLag   time.Duration // a replica that may be further behind is not read; 0: not looked at
}

// Policy chooses among replicas. dbresolver's policies are such ones; calls are serialised, as not all of those are safe
// for concurrent use (dbresolver v1.6.2, policy.go, RoundRobinPolicy).
type Policy interface {
	Resolve(pools []gorm.ConnPool) gorm.ConnPool
}

// Limits bounds what is open. A database in memory and one whose dialector comes with a pool of its own (Conn) are outside
// the limits: they are never closed before [Set.Close], since the first would be lost and the second is not ours.
type Limits struct {
	// Databases is how many may be open at once, not counting the one of [Set.Home]. Zero: 100.
	Databases int
	// Connections is how many connections each pool may have. Zero: 10.
	Connections int
	// Total bounds the connections of all open databases: each reserves Connections for its primary, each replica and the
	// pool for administration, opened or not. An attempt to connect that hangs for more than 15 seconds is not counted any
	// more: its server has no use for the room. Zero: Databases alone is the bound.
	Total int
	// IdleTime is how long a database may be unused before it is closed. Zero: 10 minutes.
	IdleTime time.Duration
	// Wait is how long a statement waits for a database when all that may be open are in use. Zero: 30 seconds.
	Wait time.Duration
}

// Options is the input of [New].
type Options struct {
	Limits

	// Dialect is the name that all dialectors must have.
	Dialect string
	// MostPrepared bounds the prepared statements of each pool. Zero: 512.
	MostPrepared int
	// Open finds the databases that are not known beforehand. It may be called from any goroutine, with the values of a
	// context of one of those that wait, and with a deadline of its own. Nil: there are none.
	Open func(ctx context.Context, name string) (Spec, error)
	// Config is asked for the Logger to open with; the rest of it is not used. Nil: opening logs nothing.
	Config func() *gorm.Config
	Errors Errors
	// Opened and Closed are told of each database that has been opened or closed, in this order for each name and not
	// under a lock. Nil: nobody is told.
	Opened, Closed func(name string)
	// Retired is told of each pool of ours that is about to be closed. Nil: nobody is told.
	Retired func(pool *sql.DB)
}

// Errors are the sentinels that errors.Is finds in the errors of this package.
type Errors struct {
	NotFound      error // there is no such database
	Unavailable   error // it cannot be opened or reached
	Overloaded    error // all that may be open are in use
	InvalidConfig error // the Spec is wrong
}

const (
	openTimeout  = 15 * time.Second // to ask Options.Open, and then to connect
	retireTime   = time.Minute      // how long a database that is retired is left to those who use it
	probeTimeout = 2 * time.Second  // to find out whether a database can be reached
	lookAgain    = 5 * time.Millisecond
	missingTime  = 2 * time.Second // how long an unknown name is remembered
	remembered   = 1024            // how many unknown names, and how many failing ones
	tolerated    = 3               // failures in a row before a database is left alone
	idleConn     = time.Minute
	mostPrepared = 512
	defaultWait  = 30 * time.Second
	defaultIdle  = 10 * time.Minute
	defaultOpen  = 100
	defaultConns = 10
	patience     = time.Second // how long a reader waits for a replica to be opened or measured
)

func (l Limits) withDefaults() Limits {
	if l.Databases == 0 {
		l.Databases = defaultOpen
	}
	if l.Connections == 0 {
		l.Connections = defaultConns
	}
	if l.IdleTime == 0 {
		l.IdleTime = defaultIdle
	}
	if l.Wait == 0 {
		l.Wait = defaultWait
	}
	return l
}

// pools is how many pools the database may have, so how many times Limits.Connections it reserves.
func (s Spec) pools() int {
	n := 1 + len(s.Replicas)
	if s.Admin != nil {
		n++
	}
	return n
}
