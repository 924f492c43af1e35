package faults

import (
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A failure would make toxiproxy hang, sometimes.
func TestWriteToNobody(t *testing.T) {
	t.Parallel()
	conn, other := net.Pipe()
	require.NoError(t, other.Close())
	n, err := side{Conn: conn}.Write([]byte("text"))
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	require.NoError(t, conn.Close())
}
