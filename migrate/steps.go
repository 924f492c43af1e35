package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// step is what is known of a step before it is run.
type step struct {
	file       string // "" for a step in Go without one
	version    int64
	goes       bool // it is written in Go
	begins     bool // it runs in a transaction
	statements int  // of a file
}

// name names the step for people.
func (s step) name() string {
	if s.file == "" {
		return fmt.Sprintf("%d (Go)", s.version)
	}
	return s.file
}

// steps are all of them, by version.
type steps struct {
	files fs.FS
	goes  []*goose.Migration
	byVer map[int64]step
	last  int64 // 0: there are none
}

// readSteps reads all steps, and reports everything that is wrong with them. goose itself reads a file when it is about to run it
// (goose v3.29.0 provider_run.go prepareMigration). So it runs them here on a database that does nothing, as far as the files go.
func readSteps(ctx context.Context, files fs.FS, goes []*goose.Migration) (*steps, error) {
	s := &steps{files: files, goes: goes, byVer: map[int64]step{}}
	if files == nil && len(goes) == 0 {
		return s, nil
	}
	stand := make([]*goose.Migration, len(goes)) // nothing in Go is called
	for i, g := range goes {
		if g == nil {
			return nil, errors.New("a step in Go is nil")
		}
		stand[i] = goose.NewGoMigration(g.Version, nil, nil)
	}
	pad := &notepad{}
	db := sql.OpenDB(pad)
	defer db.Close() //nolint:errcheck // there is nothing to be closed
	if _, err := newProvider(db, memory{}, files, goes); err != nil {
		return nil, err
	}
	p, err := newProvider(db, memory{}, files, stand)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, source := range p.ListSources() {
		pad.begun, pad.statements = false, 0
		next := step{version: source.Version, file: path.Base(source.Path), goes: source.Type == goose.TypeGo}
		if source.Path == "" {
			next.file = ""
		}
		if _, err := p.ApplyVersion(ctx, source.Version, true); err != nil {
			errs = append(errs, fmt.Errorf("step %s: %w", next.name(), cause(err)))
			continue
		}
		next.begins, next.statements = pad.begun, pad.statements
		s.byVer[next.version], s.last = next, max(s.last, next.version)
	}
	for _, g := range goes {
		if known, ok := s.byVer[g.Version]; ok {
			known.begins = g.UpFnNoTxContext == nil
			s.byVer[g.Version] = known
		}
	}
	return s, errors.Join(errs...)
}

// provider returns goose's, for one place.
func (s *steps) provider(db *sql.DB, store database.Store) (*goose.Provider, error) {
	return newProvider(db, store, s.files, s.goes)
}

func newProvider(db *sql.DB, store database.Store, files fs.FS, goes []*goose.Migration) (*goose.Provider, error) {
	options := []goose.ProviderOption{goose.WithStore(store), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger())}
	if len(goes) > 0 {
		options = append(options, goose.WithGoMigrations(goes...))
	}
	if files != nil {
		files = sqlOnly{files}
	}
	return goose.NewProvider(goose.DialectCustom, db, files, options...)
}

// sqlOnly hides Go files: goose would write their names into the steps in Go, which all places share (goose v3.29.0
// provider_collect.go merge).
type sqlOnly struct{ fs.FS }

// Glob implements [fs.GlobFS].
func (f sqlOnly) Glob(pattern string) ([]string, error) {
	if strings.HasSuffix(pattern, ".go") {
		return nil, nil
	}
	return fs.Glob(f.FS, pattern)
}

// cause is what made a step fail, without goose's own words around it.
func cause(err error) error {
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		return partial.Err
	}
	return err
}
