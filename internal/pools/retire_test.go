package pools_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/pools"
)

// What is retired is closed at once if nothing uses it, and opened anew for who needs it next.
func TestRetire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{server: one}})
		s.Retire("a") // it is not open
		d := lease(t, s, "a")
		d.Done()
		s.Retire("a")
		require.Empty(t, s.Stats())
		databases, connections := s.Reserved()
		require.Zero(t, databases)
		require.Zero(t, connections)
		require.Zero(t, one.now.Load())
		again := lease(t, s, "a")
		require.NotSame(t, d, again)
		again.Done()
	})
}

// leaseLater leases a database that may have to be waited for; nil if it cannot.
func leaseLater(ctx context.Context, s *pools.Set, name string) <-chan *pools.Database {
	leased := make(chan *pools.Database)
	go func() {
		d, _ := s.Lease(ctx, name)
		leased <- d
	}()
	return leased
}

// What is in use is left to its users, and who comes next waits for them.
func TestRetireInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{server: one}})
		first := lease(t, s, "a")
		s.Retire("a")
		require.Empty(t, s.Stats(), "nobody finds it any more")
		require.Equal(t, int64(1), one.now.Load(), "and it is open")
		next := leaseLater(t.Context(), s, "a")
		synctest.Wait()
		select {
		case <-next:
			t.Fatal("the name was leased while its former database is open")
		default:
		}
		first.Done()
		second := <-next
		require.NotSame(t, first, second)
		second.Done()
		require.Len(t, s.Stats(), 1)
	})
}

// A database that is used for ever is closed after a while, and with the Set.
func TestRetireDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{server: one}})
		stuck := lease(t, s, "a")
		defer stuck.Done()
		s.Retire("a")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Zero(t, one.now.Load())

		other := lease(t, s, "a")
		defer other.Done()
		s.Retire("a")
		require.Equal(t, int64(1), one.now.Load())
		require.NoError(t, s.Close())
		require.Zero(t, one.now.Load())
	})
}

// One that is being opened is closed when those who wait for it are done; and one that was missing is looked for anew.
func TestRetireWhatIsNotThereYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, release := new(server), make(chan struct{})
		there, why := false, errors.New("why, with secrets")
		s := newSet(t, pools.Options{Dialect: "stub", Open: func(context.Context, string) (pools.Spec, error) {
			if !there {
				return pools.Spec{}, errors.Join(errNotFound, why)
			}
			<-release
			return pools.Spec{Primary: &stub{server: one}}, nil
		}})
		_, err := s.Lease(t.Context(), "a")
		require.ErrorIs(t, err, errNotFound)
		there = true
		_, err = s.Lease(t.Context(), "a")
		require.ErrorIs(t, err, errNotFound)
		require.EqualError(t, err, errNotFound.Error()+`: shard "a": it was looked for a moment ago: it does not exist`)
		require.ErrorIs(t, err, why, "what was found out then is not kept back")
		s.Retire("a")
		got := leaseLater(t.Context(), s, "a")
		synctest.Wait()
		s.Retire("a")
		close(release)
		d := <-got
		synctest.Wait()
		require.Empty(t, s.Stats())
		d.Done()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, one.now.Load())
	})
}
