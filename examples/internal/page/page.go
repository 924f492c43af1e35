// Package page prints what an example does, for somebody who reads it in a terminal.
package page

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// Page prints what happens, and as GORM's logger the SQL that is sent while ShowSQL is on.
type Page struct {
	ShowSQL bool // off while tables are made

	out io.Writer
}

var _ logger.Interface = (*Page)(nil)

// New returns a page on out. It is for one goroutine at a time.
func New(out io.Writer) *Page { return &Page{out: out} }

// Title begins a part of the page.
func (p *Page) Title(title, say string) {
	_, _ = fmt.Fprintf(p.out, "\n%s\n%s\n\n", title, say)
}

// Row prints what went well.
func (p *Page) Row(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, "  ✓ %s\n", fmt.Sprintf(format, args...))
}

// Refused prints what was tried and why it was refused. It fails if that is not the error that was wanted: then the example
// does not show what it says.
func (p *Page) Refused(what string, err, want error) error {
	if !errors.Is(err, want) {
		return fmt.Errorf("%s: got %w, want %w", what, err, want)
	}
	if refused := (*tenancy.StatementError)(nil); errors.As(err, &refused) {
		err = refused // once: GORM joins that of a nested statement to that of the outer one
	}
	_, _ = fmt.Fprintf(p.out, "  ✗ %s\n    %s\n", what, err)
	return nil
}

// Step says in front of SQL what it is of.
func (p *Page) Step(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, "  %s\n", fmt.Sprintf(format, args...))
}

// Trace implements [logger.Interface]. GORM also traces statements that the plugin has refused: they were not sent.
func (p *Page) Trace(_ context.Context, _ time.Time, statement func() (string, int64), err error) {
	var refused *tenancy.StatementError
	if !p.ShowSQL || errors.As(err, &refused) {
		return
	}
	if sql, _ := statement(); sql != "" {
		_, _ = fmt.Fprintf(p.out, "    → %s\n", sql)
	}
}

// LogMode implements [logger.Interface].
func (p *Page) LogMode(logger.LogLevel) logger.Interface { return p }

// Info implements [logger.Interface].
func (p *Page) Info(context.Context, string, ...any) {}

// Warn implements [logger.Interface].
func (p *Page) Warn(context.Context, string, ...any) {}

// Error implements [logger.Interface].
func (p *Page) Error(context.Context, string, ...any) {}
