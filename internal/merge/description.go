package merge

import (
	"context"
	"database/sql/driver"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// Source is a shard's answer.
type Source struct {
	// Name is what errors call it.
	Name string
	// Open sends the query. The context ends when the rows are no longer needed; Next must then return. The rows are read and
	// closed by one goroutine.
	Open func(ctx context.Context) (driver.Rows, error)
}

// Description tells how the answers of the sources become one. The zero value puts them one after the other.
type Description struct {
	// Engine is the database that all sources are. Zero: nothing can be compared.
	Engine dialect.Engine
	// Collations tell how the text in each column of the sources compares. Where there is none, text cannot be compared.
	Collations []Collation
	// Order is what the sources are sorted by. With Groups, it is what the groups are to be sorted by.
	Order []Sort
	// Unique tells that no two rows are equal by Order, and refuses with [*AmbiguousError] those of two sources that are. It has
	// no meaning with Groups, and without Order.
	Unique bool
	// Groups merges aggregates. Nil: the rows are merged as they are.
	Groups *Groups
	// Distinct leaves one of several equal rows.
	Distinct bool
	// Offset is how many rows are left out at the beginning, Limit how many are given then. Limit nil: all.
	Offset int64
	Limit  *int64
	// Hidden is how many columns at the end of the sources' are not given, where it is not known how many there are in all;
	// HiddenCollations are theirs. Groups have none.
	Hidden           int
	HiddenCollations []Collation
	// Named are the collations of columns that have none in Collations, by their names.
	Named map[string]Collation
	// Visible is how many columns are given; those behind them were needed for the merge alone. Zero: all.
	Visible int
	// RoundedFloats allows sums and averages of floating-point numbers. They depend on the order in which the numbers are
	// added, in one database too: the last digits need not be the same. False: they are unmergeable.
	RoundedFloats bool
	// DivisionScale is MySQL's div_precision_increment. Zero: 4, as it is unless it is set.
	DivisionScale int
}

// Sort is a column to sort by.
type Sort struct {
	Column     int // below 0, it counts from the end: -1 is the last one
	Descending bool
	Nulls      Nulls
}

// Nulls tells where NULL stands.
type Nulls uint8

const (
	// NullsDefault is where the database puts NULL unasked: PostgreSQL behind all values, MySQL and SQLite before them, and
	// the other way round if descending.
	NullsDefault Nulls = iota
	// NullsFirst is before all values, descending too.
	NullsFirst
	// NullsLast is behind all values, descending too.
	NullsLast
)

// Collation tells how texts compare. They must be UTF-8, or ASCII, in the database as well: the drivers hand out UTF-8, and
// its order is not that of other encodings.
type Collation uint8

const (
	// CollationUnknown is any that the others are not. Text with it cannot be compared.
	CollationUnknown Collation = iota
	// CollationDeterministic has texts equal only if their bytes are; their order is unknown. PostgreSQL's are, except for
	// those that are declared otherwise.
	CollationDeterministic
	// CollationBinary is the order of bytes, which in UTF-8 is that of code points: C in PostgreSQL, BINARY in SQLite,
	// utf8mb4_0900_bin in MySQL, utf8mb4_nopad_bin in MariaDB.
	CollationBinary
	// CollationPadded is the order of bytes, the shorter text filled up with spaces: utf8mb4_bin.
	CollationPadded
	// CollationNoCase is SQLite's NOCASE: the order of bytes, the letters A to Z taken for a to z.
	CollationNoCase
	// CollationTrimmed is SQLite's RTRIM: the order of bytes, without the spaces at the end.
	CollationTrimmed
	// CollationWeightsGeneral is not of text, but of what WEIGHT_STRING gives of text in MariaDB's utf8mb4_general_ci: the order of
	// bytes, the shorter one filled up with what a space weighs there.
	CollationWeightsGeneral
	// CollationWeightsUnicode is the same of utf8mb4_unicode_ci and utf8mb4_uca1400_ai_ci.
	CollationWeightsUnicode
	// CollationWeightsUnicode520 is the same of utf8mb4_unicode_520_ci.
	CollationWeightsUnicode520
)

// Options bound what a merge takes. Zero fields have the defaults.
type Options struct {
	// Parallel is how many sources run their queries at a time. Those that are merged by an order stay open together, when
	// they have given their first row. Zero: 8.
	Parallel int
	// Rows and Bytes bound each of a source's two buffers: it is full when it has the one or the other. Zero: 256, 1 MiB.
	Rows, Bytes int
	// Groups is how many groups, distinct rows and distinct values are remembered in all. Zero: 100 000.
	Groups int
}

func (o Options) orDefaults() Options {
	for _, d := range []struct {
		field *int
		value int
	}{{&o.Parallel, 8}, {&o.Rows, 256}, {&o.Bytes, 1 << 20}, {&o.Groups, 100_000}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return o
}

// check finds what is wrong without the sources.
func (d *Description) check(sources []Source) error {
	switch {
	case len(sources) == 0:
		return misfit("no sources")
	case d.Offset < 0 || d.Limit != nil && *d.Limit < 0:
		return misfit("a negative limit or offset")
	case d.Visible < 0:
		return misfit("%d visible columns", d.Visible)
	case d.Hidden < 0 || d.Hidden > 0 && (d.Visible > 0 || d.Groups != nil):
		return misfit("%d hidden columns", d.Hidden)
	case d.DivisionScale < 0:
		return misfit("a negative scale of divisions")
	}
	for _, s := range sources {
		if s.Open == nil {
			return misfit("source %q cannot be opened", s.Name)
		}
	}
	return nil
}

// collation returns that of one of so many columns.
func (d *Description) collation(column, of int, name string) Collation {
	if hidden := column - (of - d.Hidden); hidden >= 0 {
		if hidden < len(d.HiddenCollations) {
			return d.HiddenCollations[hidden]
		}
		return CollationUnknown
	}
	if column < len(d.Collations) && d.Collations[column] != CollationUnknown {
		return d.Collations[column]
	}
	return d.Named[name]
}
