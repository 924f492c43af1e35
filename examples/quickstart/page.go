package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// page prints what happens, and as GORM's logger the SQL that was sent.
type page struct {
	out io.Writer
	sql bool // print SQL: not while the tables are made
}

var _ logger.Interface = (*page)(nil)

// The colours of a terminal; none if NO_COLOR is set (no-color.org) or the output is not a terminal.
func (p *page) paint(colour, text string) string {
	if f, ok := p.out.(*os.File); ok && os.Getenv("NO_COLOR") == "" {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return "\x1b[" + colour + "m" + text + "\x1b[0m"
		}
	}
	return text
}

func (p *page) title(title, say string) {
	_, _ = fmt.Fprintf(p.out, "\n%s\n%s\n\n", p.paint("1", title), p.paint("2", say))
}

func (p *page) row(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, "  %s %s\n", p.paint("32", "✓"), fmt.Sprintf(format, args...))
}

func (p *page) refused(what string, err error) {
	text, _, _ := strings.Cut(err.Error(), "; ") // GORM repeats the error of a nested statement
	_, _ = fmt.Fprintf(p.out, "  %s %s\n    %s\n\n", p.paint("31", "✗"), what, p.paint("2", text))
}

// Trace implements [logger.Interface]: it prints the SQL of statements that were sent. GORM also traces those that were
// refused; of a refused raw statement it has the text.
func (p *page) Trace(_ context.Context, _ time.Time, statement func() (string, int64), err error) {
	var refused *tenancy.StatementError
	if errors.As(err, &refused) && refused.Op == "raw" {
		return
	}
	if sql, _ := statement(); p.sql && sql != "" {
		_, _ = fmt.Fprintf(p.out, "  %s\n", p.paint("36", sql))
	}
}

// LogMode implements [logger.Interface].
func (p *page) LogMode(logger.LogLevel) logger.Interface { return p }

// Info implements [logger.Interface].
func (p *page) Info(context.Context, string, ...any) {}

// Warn implements [logger.Interface].
func (p *page) Warn(context.Context, string, ...any) {}

// Error implements [logger.Interface].
func (p *page) Error(context.Context, string, ...any) {}
