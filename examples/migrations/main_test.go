package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/migrate"
)

// The page in testdata is what the program prints: go run . > testdata/page.txt makes it anew.
func TestPage(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP"} { // Unix, Windows
		t.Setenv(name, folder)
	}
	want, err := os.ReadFile("testdata/page.txt")
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, false))
	require.Equal(t, string(want), out.String())

	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, run(ctx, stopping{cancel}, false), context.Canceled)
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, left, "files that were not removed")
}

// stopping is an output whose reader stops the program as soon as it sees something.
type stopping struct{ cancel context.CancelFunc }

func (s stopping) Write(text []byte) (int, error) {
	s.cancel()
	return len(text), nil
}

func TestBar(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := &bar{out: &out, terminal: true}
	b.PlaceMigrated(t.Context(), migrate.Event{Done: 1, UpToDate: 6, Total: 8})
	b.PlaceMigrated(t.Context(), migrate.Event{Done: 1, Failed: 1, UpToDate: 6, Total: 8})
	half := strings.Repeat("█", 20)
	require.Equal(t, "\r  ["+half+strings.Repeat("·", 20)+"] 1 of 2, 0 failed\r  ["+half+half+"] 2 of 2, 1 failed\n", out.String())
}
