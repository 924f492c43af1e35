package migrate

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// State is what became of a place.
type State string

const (
	// UpToDate places had nothing to be done.
	UpToDate State = "up to date"
	// Migrated places have been brought to the target.
	Migrated State = "migrated"
	// Failed places are where they were, or in between: the next run goes on there.
	Failed State = "failed"
	// NotBegun places are behind the target and have not been touched.
	NotBegun State = "not begun"
	// Ahead are places of a newer version than the target; they are left alone.
	Ahead State = "ahead"
)

// Result is what became of one place.
type Result struct {
	Placement tenancy.Placement
	Tenants   int64      // that are there
	Tenant    tenancy.ID // if it is one tenant's alone
	From, To  catalog.Target
	State     State
	Attempts  int // how often the step was tried that needed most tries, or the models were
	Took      time.Duration
	Err       error // why it failed
}

// Name names the place for people: the tenant that has it alone, or else where it is.
func (r Result) Name() string {
	if r.Tenant != "" {
		return string(r.Tenant)
	}
	return where(r.Placement)
}

// where says where a place is.
func where(at tenancy.Placement) string {
	name := "shard " + at.Shard
	if at.Shard == "" {
		name = "the default database"
	}
	if at.Schema != "" {
		name += ", schema " + at.Schema
	}
	if at.TableSuffix != "" {
		name += ", tables …" + at.TableSuffix
	}
	return name
}

// Report is what became of all places.
type Report struct {
	Target  catalog.Target
	Results []Result // in the order in which they come
	Took    time.Duration

	UpToDate, Migrated, Failed, NotBegun, Ahead int
}

// counterOf is where a report counts a state.
func counterOf(r *Report, s State) *int {
	switch s {
	case UpToDate:
		return &r.UpToDate
	case Migrated:
		return &r.Migrated
	case Failed:
		return &r.Failed
	case Ahead:
		return &r.Ahead
	default:
		return &r.NotBegun
	}
}

// replace notes what became of the place at i.
func replace(r *Report, i int, result Result) {
	*counterOf(r, r.Results[i].State)--
	*counterOf(r, result.State)++
	r.Results[i] = result
}

// String is the table of [Report.WriteTo].
func (r Report) String() string {
	var b strings.Builder
	_, _ = r.WriteTo(&b) // a Builder takes everything
	return b.String()
}

// WriteTo writes a table for people: a line for each place that is not up to date, and a summary.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	out := &counter{to: w}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	header := "PLACE\tTENANTS\tSTATE\tFROM\tTO\tTRIES\tTOOK\tERROR\n"
	for _, p := range r.Results {
		if p.State == UpToDate {
			continue
		}
		fault := ""
		if p.Err != nil {
			fault = strings.Join(strings.Fields(p.Err.Error()), " ")
		}
		_, _ = fmt.Fprintf(table, "%s%s\t%d\t%s\t%s\t%s\t%d\t%s\t%s\n", header, p.Name(), p.Tenants, p.State,
			version(p.From), version(p.To), p.Attempts, p.Took.Round(time.Millisecond), fault) // counter keeps the error
		header = ""
	}
	_ = table.Flush()
	_, _ = fmt.Fprintf(out, "target %s: %d migrated, %d failed, %d not begun, %d ahead, %d up to date, in %s\n", version(r.Target),
		r.Migrated, r.Failed, r.NotBegun, r.Ahead, r.UpToDate, r.Took.Round(time.Millisecond))
	return out.n, out.err
}

// version shows a target: the version, and the beginning of the fingerprint.
func version(t catalog.Target) string {
	if t.Models == "" {
		return fmt.Sprintf("%d", t.Version)
	}
	return fmt.Sprintf("%d+%.6s", t.Version, t.Models)
}

// counter counts what is written, until the first error.
type counter struct {
	to  io.Writer
	n   int64
	err error
}

// Write implements [io.Writer].
func (c *counter) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.to.Write(p)
	c.n, c.err = c.n+int64(n), err
	return n, err
}

// ProgressObserver is told of each place that was tried. Its calls follow one another.
type ProgressObserver interface {
	PlaceMigrated(ctx context.Context, e Event)
}

// Event says how far a run is.
type Event struct {
	Done, Failed int // of the places that were tried
	UpToDate     int // places without need, those that are ahead included
	Total        int // places in all
	Result       Result
}
