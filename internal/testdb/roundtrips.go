package testdb

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// RoundTrips counts how often clients have waited for their server.
type RoundTrips struct{ n atomic.Int64 }

// CountRoundTrips returns the DSN of a proxy in front of the server of dsn, and what
// it counts: a round trip each time the server speaks after a client has. What a
// client sends without waiting, in however many messages, counts once; the end of a
// connection, which has no answer, does not count. To make a connection takes round
// trips too: warm up first, then [RoundTrips.Reset]. An answer has been counted when
// the client gets it. Several connections are added up.
func CountRoundTrips(t testing.TB, dsn string) (trips *RoundTrips, through string) {
	t.Helper()
	network, address, err := Address(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if through, err = Through(dsn, l.Addr().String()); err != nil {
		_ = l.Close() // never used
		t.Fatal(err)
	}
	trips = &RoundTrips{}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var open sync.WaitGroup
	open.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // it was closed
			}
			open.Go(func() { trips.carry(ctx, client, network, address) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		open.Wait()
	})
	return trips, through
}

// Count returns the round trips since the beginning, or since Reset.
func (r *RoundTrips) Count() int { return int(r.n.Load()) }

// Reset begins anew.
func (r *RoundTrips) Reset() { r.n.Store(0) }

// carry connects the client with the server until one of them closes its connection,
// or ctx ends.
func (r *RoundTrips) carry(ctx context.Context, client net.Conn, network, address string) {
	defer client.Close() //nolint:errcheck // the end of a connection
	server, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return // the client sees its connection end
	}
	var asked atomic.Bool
	var both sync.WaitGroup
	both.Go(func() {
		defer server.Close() //nolint:errcheck // the end of a connection
		carryOn(server, client, func() { asked.Store(true) })
	})
	both.Go(func() {
		defer client.Close() //nolint:errcheck // the end of a connection
		carryOn(client, server, func() {
			if asked.Swap(false) {
				r.n.Add(1)
			}
		})
	})
	defer context.AfterFunc(ctx, func() {
		_ = client.Close()
		_ = server.Close()
	})()
	both.Wait()
}

// carryOn copies; heard is called before anything is passed on.
func carryOn(to, from net.Conn, heard func()) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			heard()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
