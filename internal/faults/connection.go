package faults

import (
	"io"
	"net"
	"sync/atomic"
)

// A connection is a client's, and the one to the server that belongs to it.
type connection struct {
	client, server net.Conn
	reset          *atomic.Bool // the proxy's
	closed         func()
}

// close ends the connection for both sides.
func (c *connection) close() {
	c.closed()
	_ = c.client.Close() // it may have been closed already
	_ = c.server.Close() // likewise
}

// abort ends the connection with a reset for both sides.
func (c *connection) abort() {
	for _, end := range []net.Conn{c.client, c.server} {
		if tcp, ok := end.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // fails when it is closed
		}
	}
	c.close()
}

// A side is one end of a connection as toxiproxy sees it: no [net.TCPConn], whose
// WriteTo and ReadFrom go past Read and Write.
type side struct {
	net.Conn

	connection *connection
}

// Read ends the connection when it is to be reset and something has come.
func (s side) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if n > 0 && s.connection.reset.Load() {
		s.connection.abort()
		return 0, io.EOF
	}
	return n, err
}

// Write never fails; where nobody listens any more, Read has the end. For toxiproxy
// stops to empty its own channels after a failure, and waits for ever when a toxic is
// added or removed before it has forgotten the connection (v2.12.0, link.go,
// ToxicLink.write; toxics/toxic.go, ToxicStub.InterruptToxic).
func (s side) Write(b []byte) (int, error) {
	_, _ = s.Conn.Write(b) // see above
	return len(b), nil
}

// Close ends both sides.
func (s side) Close() error {
	s.connection.close()
	return nil
}
