package testdb

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThrough(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ dsn, network, address, through string }{
		{
			"postgres://app:p%40ss@db.test:5433/orders?sslmode=disable", "tcp", "db.test:5433",
			"postgres://app:p%40ss@127.0.0.1:9/orders?sslmode=disable",
		},
		{"postgresql:///orders?host=/run/pg&port=5433", "unix", "/run/pg/.s.PGSQL.5433", "postgresql://127.0.0.1:9/orders"},
		{"host=db.test port=5433 dbname=orders", "tcp", "db.test:5433", "host=db.test port=5433 dbname=orders host=127.0.0.1 port=9"},
		{"host=/run/pg dbname=orders port=5432", "unix", "/run/pg/.s.PGSQL.5432", "host=/run/pg dbname=orders port=5432 host=127.0.0.1 port=9"},
		{"app:p@ss@tcp(db.test:3307)/orders?parseTime=true", "tcp", "db.test:3307", "app:p@ss@tcp(127.0.0.1:9)/orders?parseTime=true"},
		{"app@unix(/run/my.sock)/orders", "unix", "/run/my.sock", "app@tcp(127.0.0.1:9)/orders"},
	} {
		network, address, err := Address(c.dsn)
		require.NoError(t, err, c.dsn)
		assert.Equal(t, c.network, network, c.dsn)
		assert.Equal(t, c.address, address, c.dsn)
		through, err := Through(c.dsn, "127.0.0.1:9")
		require.NoError(t, err, c.dsn)
		assert.Equal(t, c.through, through)
		network, address, err = Address(through)
		require.NoError(t, err, through)
		assert.Equal(t, "tcp 127.0.0.1:9", network+" "+address, through)
	}
}

// A DSN that cannot be read may have a password in it.
func TestDSNErrorsShowNothing(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"postgres://app:secret@[::/orders", "password='secret", "app:secret@tcp(x)/%zz?a=%zz"} {
		_, _, err := Address(dsn)
		require.Error(t, err, dsn)
		assert.NotContains(t, err.Error(), "secret")
	}
	_, err := Through("postgres://app:secret@[::/orders", "127.0.0.1:9")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}
