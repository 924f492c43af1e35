package merge_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/merge"
)

// answer is a shard's in a test.
type answer struct {
	columns []string // "name TYPE"
	rows    func(i int) []driver.Value
	count   int
	fails   error         // after the rows
	blocks  bool          // after the rows, until the context ends
	panics  bool          // after the rows
	opening chan struct{} // if not nil, it opens when this is closed

	opened, handed, closed, cancelled atomic.Bool
	read                              atomic.Int64
}

// table is an answer with these rows.
func table(columns []string, rows ...[]driver.Value) *answer {
	return &answer{columns: columns, count: len(rows), rows: func(i int) []driver.Value { return rows[i] }}
}

// row is short for a row of values.
func row(values ...driver.Value) []driver.Value { return values }

func (a *answer) open(ctx context.Context) (driver.Rows, error) {
	a.opened.Store(true)
	if a.opening != nil {
		select {
		case <-a.opening:
		case <-ctx.Done():
			a.cancelled.Store(true)
			return nil, ctx.Err()
		}
	}
	a.handed.Store(true)
	return &answerRows{answer: a, ctx: ctx}, nil
}

// answerRows uses the memory of its bytes again, as drivers may.
type answerRows struct {
	*answer
	ctx   context.Context
	at    int
	bytes [][]byte
}

func (r *answerRows) Columns() (names []string) {
	for _, c := range r.columns {
		name, _, _ := strings.Cut(c, " ")
		names = append(names, name)
	}
	return names
}

func (r *answerRows) ColumnTypeDatabaseTypeName(i int) string {
	_, typ, _ := strings.Cut(r.columns[i], " ")
	return typ
}

func (r *answerRows) Close() error {
	if r.closed.Swap(true) {
		return errors.New("closed twice")
	}
	return nil
}

func (r *answerRows) Next(dest []driver.Value) error {
	if r.at < r.count {
		for _, b := range r.bytes {
			clear(b)
		}
		r.bytes = r.bytes[:0]
		for i, v := range r.rows(r.at) {
			if b, ok := v.([]byte); ok {
				b = append([]byte{}, b...)
				r.bytes = append(r.bytes, b)
				v = b
			}
			dest[i] = v
		}
		r.at++
		r.read.Add(1)
		return nil
	}
	switch {
	case r.blocks:
		<-r.ctx.Done()
		r.cancelled.Store(true)
		return r.ctx.Err()
	case r.panics:
		panic("a driver's")
	case r.fails != nil:
		return r.fails
	default:
		return io.EOF
	}
}

func sources(answers ...*answer) []merge.Source {
	var s []merge.Source
	for i, a := range answers {
		s = append(s, merge.Source{Name: "shard " + string(rune('a'+i)), Open: a.open})
	}
	return s
}

// mergeAll merges answers and returns all rows. It looks whether the answers are closed and no goroutine is left.
func mergeAll(t *testing.T, d merge.Description, o merge.Options, answers ...*answer) (read [][]driver.Value, err error) {
	t.Helper()
	rows, err := merge.Open(t.Context(), d, o, sources(answers...)...)
	if err == nil {
		read, err = all(rows)
		require.NoError(t, rows.Close())
	}
	nothingLeft(t, answers...)
	return read, err
}

// nothingLeft fails the test if an answer is open or a goroutine is left. No parallel test may run.
func nothingLeft(t *testing.T, answers ...*answer) {
	t.Helper()
	for i, a := range answers {
		require.Equal(t, a.handed.Load(), a.closed.Load(), "source %d is closed", i)
	}
	require.Eventually(t, func() bool { return !strings.Contains(stacks(), "merge.(*fanIn)") }, 5*time.Second, time.Millisecond)
}

func all(rows *merge.Rows) (read [][]driver.Value, err error) {
	for {
		r := make([]driver.Value, len(rows.Columns()))
		if err := rows.Next(r); errors.Is(err, io.EOF) {
			return read, nil
		} else if err != nil {
			return read, err
		}
		for i, v := range r {
			if b, ok := v.([]byte); ok {
				r[i] = string(b)
			}
		}
		read = append(read, r)
	}
}

// column returns the values of a column.
func column(rows [][]driver.Value, i int) (values []driver.Value) {
	for _, r := range rows {
		values = append(values, r[i])
	}
	return values
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}
