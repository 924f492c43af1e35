package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gormtenancy/tenancy/migrate"
)

// bar shows how far a run is: in a terminal as a bar, or else as some lines.
type bar struct {
	out      io.Writer
	terminal bool
	shown    int // tenths
}

var _ migrate.ProgressObserver = (*bar)(nil)

const width = 40

// PlaceMigrated implements [migrate.ProgressObserver].
func (b *bar) PlaceMigrated(_ context.Context, e migrate.Event) {
	ended := e.Done + e.Failed
	most := e.Total - e.UpToDate
	if b.terminal {
		full := width * ended / most
		_, _ = fmt.Fprintf(b.out, "\r  [%s%s] %d of %d, %d failed", strings.Repeat("█", full), strings.Repeat("·", width-full), ended, most, e.Failed)
		if ended == most {
			_, _ = fmt.Fprintln(b.out)
		}
		return
	}
	for tenth := 10 * ended / most; b.shown < tenth; {
		b.shown = tenth
		_, _ = fmt.Fprintf(b.out, "  %3d%% of %d\n", tenth*10, most)
	}
}

// isTerminal tells whether somebody looks at the output as it comes.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
