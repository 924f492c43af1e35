package catalog

import (
	"context"
	"database/sql"

	"github.com/gormtenancy/tenancy"
)

// Read returns a tenant straight from the master, whatever its state.
func (c *Catalog) Read(ctx context.Context, id tenancy.ID) (Tenant, error) {
	if checkName(string(id), longestID) != nil { // PostgreSQL would not look for it
		return Tenant{}, notFound()
	}
	t, found, _, err := c.store.load(ctx, key{byID, string(id)})
	if err == nil && !found {
		err = notFound()
	}
	return t, err
}

// Shard returns a shard straight from the master, as it is stored.
func (c *Catalog) Shard(ctx context.Context, name string) (Shard, error) {
	var s Shard
	var found bool
	err := c.store.retry(ctx, func() (err error) {
		s, found, err = c.store.shard(ctx, c.store.db, name)
		return err
	})
	if err == nil && !found {
		err = noShard(name)
	}
	return s, err
}

// Shards returns the shards that tenants share, by name, straight from the master, with their tenants counted anew: those of
// every state, and those with an own database beside the shard. As long as no shard has been added, it is the default database alone.
func (c *Catalog) Shards(ctx context.Context) ([]Shard, error) {
	var shards []Shard
	var tenants map[string]int64
	err := c.store.retry(ctx, func() (err error) {
		if shards, err = c.store.shards(ctx, c.store.db); err == nil {
			tenants, err = c.store.count(ctx)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range shards {
		shards[i].Tenants = tenants[shards[i].Name]
	}
	return shards, nil
}

func (s *store) setBytes(ctx context.Context, shard string, bytes int64) error {
	return s.retry(ctx, func() error {
		_, found, err := s.shard(ctx, s.db, shard)
		if err == nil && !found {
			err = noShard(shard)
		}
		if err != nil {
			return err
		}
		_, err = s.db.ExecContext(ctx, s.bind(`UPDATE tenancy_shards SET bytes = ? WHERE name = ?`), bytes, shard)
		return err
	})
}

// count returns how many tenants there are by home.
func (s *store) count(ctx context.Context) (map[string]int64, error) {
	tenants := map[string]int64{}
	err := s.each(ctx, s.db, func(rows *sql.Rows) error {
		var home string
		var n int64
		err := rows.Scan(&home, &n)
		tenants[home] = n
		return err
	}, `SELECT home, COUNT(*) FROM tenancy_tenants GROUP BY home`)
	return tenants, err
}
