package pools_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// cable is a way to a server that a test can cut.
type cable struct {
	address, server string

	mu      sync.Mutex
	clients map[net.Conn]bool
	isCut   bool
	stalled chan struct{} // nil: it is not
}

// throughProxy returns the DSN of the same database through a proxy, which lives as long as the test.
func throughProxy(t *testing.T, dsn string) (string, *cable) {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cable{address: listener.Addr().String(), server: u.Host, clients: map[net.Conn]bool{}}
	u.Host = c.address
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { c.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.cut()
		serving.Wait()
	})
	return u.String(), c
}

func (c *cable) serve(client net.Conn) {
	defer client.Close() //nolint:errcheck // it may be cut already
	if !c.add(client) {
		return
	}
	server, err := net.Dial("tcp", c.server)
	if err != nil {
		return
	}
	defer server.Close() //nolint:errcheck // it may be cut already
	var both sync.WaitGroup
	for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
		both.Go(func() {
			_, _ = io.Copy(stallable{c, to}, from)
			_ = client.Close()
			_ = server.Close()
		})
	}
	both.Wait()
}

// stallable is a writer that waits while the cable is stalled.
type stallable struct {
	cable *cable
	to    io.Writer
}

func (s stallable) Write(p []byte) (int, error) {
	s.cable.mu.Lock()
	stalled := s.cable.stalled
	s.cable.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	return s.to.Write(p)
}

func (c *cable) add(client net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isCut {
		c.clients[client] = true
	}
	return !c.isCut
}

// cut ends all connections, and new ones at once.
func (c *cable) cut() {
	c.mend()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = true
	for client := range c.clients {
		_ = client.Close()
	}
	clear(c.clients)
}

// stall lets nothing through, without an error.
func (c *cable) stall() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = make(chan struct{})
}

// mend undoes cut and stall.
func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = false
	if c.stalled != nil {
		close(c.stalled)
		c.stalled = nil
	}
}
