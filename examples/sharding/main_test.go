package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// The pages in testdata are what the program prints: go run . > testdata/sqlite.txt makes the first anew.
func TestOnSQLite(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} { // Unix, Windows
		t.Setenv(name, folder)
	}
	stops(t, "")
	prints(t, "testdata/sqlite.txt", "")
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, left, "files that were not removed")
}

func TestOnPostgres(t *testing.T) {
	dsn := testdb.Postgres(t)
	stops(t, dsn)
	for range 2 { // nothing is left that is in the way of the next run
		prints(t, "testdata/postgres.txt", dsn)
	}
}

func prints(t *testing.T, path, dsn string) {
	t.Helper()
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, dsn))
	require.Equal(t, string(want), out.String())
}

func stops(t *testing.T, dsn string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, run(ctx, stopping{cancel}, dsn), context.Canceled)
}

// stopping is an output whose reader stops the program as soon as it sees something.
type stopping struct{ cancel context.CancelFunc }

func (s stopping) Write(text []byte) (int, error) {
	s.cancel()
	return len(text), nil
}
