package tenancy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gormtenancy/tenancy/internal/shardkey"
)

// DateUnit is how long a period of [ByDate] is. Its zero value is none.
type DateUnit int

const (
	// Day begins at midnight, as all units do.
	Day DateUnit = iota + 1
	// Week begins on Monday (ISO 8601).
	Week
	// Month begins on its first day.
	Month
	// Quarter begins on the first day of January, April, July or October.
	Quarter
	// Year begins on the first of January.
	Year
)

// ByDate resolves times to the placement of the day, week, month, quarter or year that they are in, in UTC. at is called with the
// beginning of that period, concurrently and once for each statement, so it must be quick and always give the same answer.
//
// A key that is not a time is [ErrInvalidConfig], and so is another unit, or an at that is nil: from db.Use and for every
// key. ByDate does not know which periods there are, so it is no [PlacementLister].
func ByDate(unit DateUnit, at func(time.Time) Placement) ShardResolver {
	var faults []error
	if unit < Day || unit > Year {
		faults = append(faults, fmt.Errorf("ByDate: %d is no unit: take Day, Week, Month, Quarter or Year", int(unit)))
	}
	if at == nil {
		faults = append(faults, errors.New("ByDate: it has no function that gives the placement of a period"))
	}
	return &byDate{checked: newChecked(faults), unit: unit, at: at}
}

// byDate is the resolver that [ByDate] makes.
type byDate struct {
	checked

	unit DateUnit
	at   func(time.Time) Placement
}

// Resolve implements [ShardResolver].
func (d *byDate) Resolve(_ context.Context, key any) (Placement, error) {
	if d.err != nil {
		return Placement{}, d.err
	}
	k, err := keyOf(key)
	if err != nil {
		return Placement{}, err
	}
	t, ok := k.Value().(time.Time)
	if !ok {
		return Placement{}, errKind("ByDate", shardkey.Time, k.Kind())
	}
	return d.at(d.unit.begin(t)), nil
}

// begin returns the beginning of the period that a time in UTC is in.
func (u DateUnit) begin(t time.Time) time.Time {
	year, month, day := t.Date()
	switch u {
	case Week:
		day -= (int(t.Weekday()) + 6) % 7 // days since Monday
	case Month:
		day = 1
	case Quarter:
		month, day = (month-1)/3*3+1, 1
	case Year:
		month, day = time.January, 1
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
