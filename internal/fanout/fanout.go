// Package fanout plans how a SELECT is asked of several placements.
package fanout

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// Planner refuses everything until SELECTs over several placements are merged.
type Planner struct{}

func New(sqlproof.Analyzer) *Planner { return &Planner{} }

type Plan struct{}

func (p *Planner) Plan(sql string) (*Plan, error) { return nil, &Unmergeable{Why: "not there yet"} }

type Unmergeable struct {
	Why, Instead string
	Line, Column int
}

func (u *Unmergeable) Error() string { return u.Why }

type Place struct{ Name, Database, Schema, Suffix string }

type Request struct {
	Args    []any
	Places  []Place
	Ask     func(ctx context.Context, place int, query string, args []any) (*sql.Rows, error)
	Text    func(place int, query string) (string, error)
	Options merge.Options
}

func (p *Plan) Open(ctx context.Context, r Request) (driver.Rows, error) {
	return nil, errors.New("not there yet")
}
