package faults

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/rs/zerolog"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

// A Proxy stands in front of one server. Faults add up until [Proxy.Clear], and hold
// for connections that are open as for new ones. Its methods may be called by
// several goroutines; a failure of the proxy itself is an error of the test.
//
// toxiproxy carries, delays and drops what is sent. The connections are the proxy's
// own: toxiproxy can reset only those that have begun after the fault (v2.12.0,
// link.go, ToxicLink.Start), and then ends each of them with a reset.
type Proxy struct {
	t        testing.TB
	ctx      context.Context // of the test, and of its end
	server   *toxiproxy.ApiServer
	upstream string
	address  string
	reset    atomic.Bool
	accepts  sync.WaitGroup

	open sync.Map // by *connection; it does without mu, which is held while toxiproxy waits for connections

	mu        sync.Mutex
	listener  net.Listener     // nil: it is cut
	toxics    *toxiproxy.Proxy // never started, for its toxics
	accepted  int
	latency   time.Duration
	blackHole bool
}

// NewProxy starts a proxy in front of a server, host:port, for the time of the test.
func NewProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &Proxy{
		t: t, ctx: ctx, upstream: upstream, server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
	}
	p.toxics = p.newToxics()
	var err error
	for range 5 { // another process can be faster at a port
		p.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(testdb.Port(t)))
		if err = p.listen(); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("proxy: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		p.Cut()
		p.accepts.Wait()
	})
	return p
}

// ProxyDSN starts a proxy in front of the server of dsn, PostgreSQL's or MariaDB's,
// and returns the DSN of the same database through it.
func ProxyDSN(t testing.TB, dsn string) (proxy *Proxy, through string) {
	t.Helper()
	network, upstream, err := testdb.Address(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if network != "tcp" {
		t.Fatalf("proxy: the server has a %s address, this is for TCP", network)
	}
	proxy = NewProxy(t, upstream)
	if through, err = testdb.Through(dsn, proxy.Address()); err != nil {
		t.Fatal(err)
	}
	return proxy, through
}

// Address returns host:port, where clients connect to. It stays the same.
func (p *Proxy) Address() string { return p.address }

// Cut ends all connections and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close() // its end is all that matters
		p.listener = nil
	}
	p.hangUp()
}

// Restore ends a cut. Other faults stay.
func (p *Proxy) Restore() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.restore()
}

// Latency lets each answer arrive later, by whole milliseconds. Zero ends it.
func (p *Proxy) Latency(d time.Duration) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay(d.Truncate(time.Millisecond))
}

// BlackHole swallows all that either side sends. Connections stay open and new ones
// are accepted, as with a host that a firewall hides.
func (p *Proxy) BlackHole() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.blackHole {
		p.blackHole = true
		for _, direction := range []string{"upstream", "downstream"} {
			p.add(`{"type":"timeout","stream":"` + direction + `","attributes":{"timeout":0}}`)
		}
	}
}

// Reset makes connections end with "connection reset by peer": as soon as one side
// sends something, which does not arrive.
func (p *Proxy) Reset() { p.reset.Store(true) }

// Clear ends all faults, a cut as well. The end of a black hole ends the connections
// that were in it; others go on.
func (p *Proxy) Clear() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reset.Store(false)
	if p.blackHole {
		p.hangUp()
		p.blackHole, p.latency = false, 0
		p.toxics = p.newToxics()
	}
	p.delay(0)
	p.restore()
}

// hangUp ends all connections.
func (p *Proxy) hangUp() {
	for c := range p.open.Range {
		if c, ok := c.(*connection); ok {
			c.close()
		}
	}
}

// restore listens again after a cut.
func (p *Proxy) restore() {
	p.t.Helper()
	if p.listener != nil {
		return
	}
	if err := p.listen(); err != nil {
		p.t.Errorf("proxy: %v", err)
	}
}

func (p *Proxy) listen() error {
	l, err := (&net.ListenConfig{}).Listen(p.ctx, "tcp", p.address)
	if err != nil {
		return err
	}
	p.listener = l
	p.accepts.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // it was closed
			}
			p.accepts.Go(func() { p.connect(l, client) })
		}
	})
	return nil
}

// connect connects a client of the listener with the server.
func (p *Proxy) connect(l net.Listener, client net.Conn) {
	server, err := (&net.Dialer{}).DialContext(p.ctx, "tcp", p.upstream)
	if err != nil {
		_ = client.Close() // a server that is away
		return
	}
	c := &connection{client: client, server: server, reset: &p.reset}
	c.closed = func() { p.open.Delete(c) }
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != l { // it was cut in between
		_ = client.Close()
		_ = server.Close()
		return
	}
	p.open.Store(c, true)
	p.accepted++
	name := strconv.Itoa(p.accepted)
	p.toxics.Toxics.StartLink(p.server, name+" up", side{client, c}, side{server, c}, stream.Upstream)
	p.toxics.Toxics.StartLink(p.server, name+" down", side{server, c}, side{client, c}, stream.Downstream)
}

func (p *Proxy) newToxics() *toxiproxy.Proxy {
	return toxiproxy.NewProxy(p.server, "faults", "", "")
}

// delay changes the latency. It never changes a toxic, which toxiproxy reads without
// its lock.
func (p *Proxy) delay(d time.Duration) {
	p.t.Helper()
	if d == p.latency {
		return
	}
	if p.latency != 0 {
		if err := p.toxics.Toxics.RemoveToxic(p.ctx, "latency"); err != nil {
			p.t.Errorf("proxy: %v", err)
		}
	}
	if p.latency = d; d != 0 {
		p.add(fmt.Sprintf(`{"name":"latency","type":"latency","attributes":{"latency":%d}}`, d.Milliseconds()))
	}
}

func (p *Proxy) add(toxic string) {
	p.t.Helper()
	if _, err := p.toxics.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		p.t.Errorf("proxy: %v", err)
	}
}
