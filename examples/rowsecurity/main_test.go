package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

const asProgram = "ROWSECURITY_AS_PROGRAM" // in the environment of this test binary: it is to be the program

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	testdb.Main(m)
}

// The page in testdata is what the program prints: go run . -postgres "…" > testdata/postgres.txt makes it anew.
func TestOnPostgres(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/postgres.txt")
	require.NoError(t, err)
	dsn := testdb.Postgres(t)
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, run(ctx, stopping{cancel}, dsn), context.Canceled)
	for range 2 { // nothing is left that is in the way of the next run
		var out strings.Builder
		require.NoError(t, run(t.Context(), &out, dsn))
		require.Equal(t, string(want), out.String())
	}
}

func TestWithoutServer(t *testing.T) {
	t.Parallel()
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), asProgram+"=1")
	said, err := program.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 2, exit.ExitCode())
	require.Contains(t, string(said), "-postgres")
	require.Equal(t, 1, strings.Count(string(said), "\n"), "one sentence")
}

// stopping is an output whose reader stops the program as soon as it sees something.
type stopping struct{ cancel context.CancelFunc }

func (s stopping) Write(text []byte) (int, error) {
	s.cancel()
	return len(text), nil
}
