package idgen_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/idgen"
)

// makeIDs is set for processes that make IDs for a test: kind, node, number of IDs.
const makeIDs = "IDGEN_TEST_MAKE"

func TestMain(m *testing.M) {
	if what := os.Getenv(makeIDs); what != "" {
		if err := child(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// wide has 4,096 IDs in a millisecond, so that millions are made in a test.
func wide() idgen.Layout {
	l := idgen.DefaultLayout()
	l.ShardBits, l.NodeBits, l.SequenceBits = 5, 5, 12
	return l
}

// source is a generator of a kind, whose IDs are of 8 or 16 bytes.
func source(kind string, node int) (next func(shard int) ([16]byte, error), err error) {
	if kind == "uuid" {
		return new(idgen.UUIDv7Generator).Next, nil
	}
	layout := map[string]idgen.Layout{"default": {}, "wide": wide()}[kind]
	g, err := idgen.New(idgen.Config{Layout: layout, Node: idgen.FixedNode(node)})
	if err != nil {
		return nil, err
	}
	return func(shard int) (b [16]byte, err error) {
		id, err := g.Next(shard)
		binary.BigEndian.PutUint64(b[:], uint64(id))
		return b, err
	}, nil
}

// child makes IDs, once its standard input is closed, and writes them.
func child(what string) error {
	var kind string
	var node, count int
	if _, err := fmt.Sscan(what, &kind, &node, &count); err != nil {
		return err
	}
	next, err := source(kind, node)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	for range count {
		id, err := next(1)
		if err != nil {
			return err
		}
		if _, err := out.Write(id[:]); err != nil {
			return err
		}
	}
	return out.Flush()
}

// requireUnique fails for the first ID that is there twice.
func requireUnique(t *testing.T, ids [][16]byte) {
	t.Helper()
	slices.SortFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	for i := range len(ids) - 1 {
		if ids[i] == ids[i+1] {
			require.Fail(t, "the same ID twice", "%x", ids[i])
		}
	}
}

// TestUniqueOverGoroutines: a generator makes no ID twice, whoever calls it, and for each caller they grow.
func TestUniqueOverGoroutines(t *testing.T) {
	t.Parallel()
	for kind, each := range map[string]int{"default": 4_000, "wide": 150_000, "uuid": 150_000} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			next, err := source(kind, 3)
			require.NoError(t, err)
			const callers = 8
			var wg sync.WaitGroup
			var mine [callers][][16]byte
			var errs [callers]error
			for i := range callers {
				wg.Go(func() {
					for n := range each {
						id, err := next((i + n) % 16)
						if err != nil {
							errs[i] = err
							return
						}
						mine[i] = append(mine[i], id)
					}
				})
			}
			wg.Wait()
			var all [][16]byte
			for i, ids := range mine {
				require.NoError(t, errs[i])
				require.Len(t, ids, each)
				require.True(t, slices.IsSortedFunc(ids, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }))
				all = append(all, ids...)
			}
			requireUnique(t, all)
		})
	}
}

// TestUniqueOverProcesses: processes with nodes of their own, and processes that make UUIDs, make no ID twice, though all are
// of the same time and shard.
func TestUniqueOverProcesses(t *testing.T) {
	t.Parallel()
	for kind, each := range map[string]int{"default": 20_000, "wide": 250_000, "uuid": 250_000} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			const processes = 4
			start, gate, err := os.Pipe() // all wait until it is closed
			require.NoError(t, err)
			defer func() { require.NoError(t, start.Close()) }()
			var out [processes]bytes.Buffer
			var children []*exec.Cmd
			for i := range processes {
				c := exec.CommandContext(t.Context(), os.Args[0])
				c.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", makeIDs, kind, i, each))
				c.Stdin, c.Stdout, c.Stderr = start, &out[i], os.Stderr
				c.WaitDelay = time.Minute
				require.NoError(t, c.Start())
				children = append(children, c)
			}
			require.NoError(t, gate.Close())
			var all [][16]byte
			for i, c := range children {
				require.NoError(t, c.Wait())
				for id := range slices.Chunk(out[i].Bytes(), 16) {
					all = append(all, [16]byte(id))
				}
			}
			require.Len(t, all, processes*each)
			requireUnique(t, all)
		})
	}
}
