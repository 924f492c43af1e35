package benchmarks

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/idgen"
	"github.com/gormtenancy/tenancy/internal/testdb"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

const slots = 1024

// sharded are the families of a plugin that shards. For a sharded table the other side is plain GORM, opened straight on the
// shard, with the same condition on the key: it is the application's on both sides.
func sharded() []family {
	proof := backend{name: "stub-proof", open: openShardStub, stub: true, sql: postgresproof.New}
	all := []backend{
		proof,
		{name: "sqlite-proof", open: openSQLite, sql: sqliteproof.New},
		{name: "postgres-proof", open: openPostgres, sql: postgresproof.New},
		{name: "mariadb-proof", open: openMariaDB, sql: mysqlproof.New},
	}
	proof.open = openStub
	return []family{
		{"shard/key", "One of four shards: opened straight, or found by the key", all, keyedSite, orderStatements()},
		{"shard/id", "The same, found by an ID that carries it", all, identifiedSite, shipmentStatements()},
		{"shard/tenant", "Tenant's table, in a plugin that has sharded ones too", []backend{proof}, besideSite(true), single(ownedStatements())},
		{"shard/global", "Global table, in a plugin that has sharded ones too", []backend{proof}, besideSite(false), single(globalStatements())},
	}
}

func openShardStub(testing.TB, bool) (*sql.DB, func(*sql.DB) gorm.Dialector) {
	return newStubWith("account_id", account), func(pool *sql.DB) gorm.Dialector {
		return postgres.New(postgres.Config{Conn: pool, WithoutReturning: true})
	}
}

func openMariaDB(tb testing.TB, _ bool) (*sql.DB, func(*sql.DB) gorm.Dialector) {
	tb.Helper()
	cfg, err := driver.ParseDSN(testdb.MySQL(tb))
	check(tb, err)
	cfg.ClientFoundRows = true // a row that an UPDATE leaves as it was counts, as elsewhere
	pool, err := sql.Open("mysql", cfg.FormatDSN())
	check(tb, err)
	return pool, func(pool *sql.DB) gorm.Dialector { return mysql.New(mysql.Config{Conn: pool}) }
}

// fourShards spreads keys over four databases.
func fourShards() tenancy.ShardResolver {
	return tenancy.Hash(slots, tenancy.EvenSlots(slots, tenancy.Placement{Shard: "s0"}, tenancy.Placement{Shard: "s1"}, tenancy.Placement{Shard: "s2"}, tenancy.Placement{Shard: "s3"})...)
}

// roomyIDs makes IDs that have more numbers in a millisecond than can be used up in one: a contest is not to wait for the next.
func roomyIDs(tb testing.TB) *idgen.Generator {
	tb.Helper()
	layout := idgen.DefaultLayout()
	layout.ShardBits, layout.NodeBits, layout.SequenceBits = 10, 1, 11
	ids, err := idgen.New(idgen.Config{Layout: layout, Node: idgen.FixedNode(0)})
	check(tb, err)
	return ids
}

// keyedSite has orders on four shards.
func keyedSite(tb testing.TB, b backend) *site {
	tb.Helper()
	return oneOfFour(tb, b, "orders", tenancy.Sharding{Models: []any{&Order{}}, Resolver: fourShards()}, func(db *gorm.DB) error {
		orders := make([]Order, seeded)
		for i := range orders {
			orders[i] = Order{AccountID: owns(i), Number: fmt.Sprint(i), Status: [2]string{"open", "paid"}[i%2]}
		}
		return db.Create(&orders).Error
	})
}

// identifiedSite has shipments on four shards. [site.ids] and [site.first] are for them.
func identifiedSite(tb testing.TB, b backend) *site {
	tb.Helper()
	ids, resolver := roomyIDs(tb), fourShards()
	numbers, ok := resolver.(tenancy.ShardNumberer)
	if !ok {
		tb.Fatal("slots have no numbers")
	}
	slot, err := numbers.ShardNumber(tb.Context(), account)
	check(tb, err)
	first, err := ids.Next(slot)
	check(tb, err)
	s := oneOfFour(tb, b, "shipments", tenancy.Sharding{Models: []any{&Shipment{}}, Resolver: resolver, IDs: ids}, func(db *gorm.DB) error {
		shipments := make([]Shipment, seeded)
		for i := range shipments {
			id, err := ids.Next(slot)
			if err != nil {
				return err
			}
			shipments[i] = Shipment{ID: id, AccountID: owns(i), Number: fmt.Sprint(i), Status: "open"}
		}
		shipments[0].ID = first
		return db.Create(&shipments).Error
	})
	s.first, s.newID = first, func() (int64, error) { return ids.Next(slot) }
	return s
}

// owns says whose a row is: few are the account's, as few are a tenant's. The others are those of one on the same shard.
func owns(row int) int64 {
	if row < few {
		return account
	}
	return account + 1
}

// oneOfFour has the default database, and four shards. The sides share the pool of the account's, which stands for all four:
// no statement goes to another.
func oneOfFour(tb testing.TB, b backend, table string, set tenancy.Sharding, seed func(*gorm.DB) error) *site {
	tb.Helper()
	home, dialector := b.open(tb, false)
	pool, _ := b.open(tb, false)
	closeAtEnd(tb, home, pool)
	plain := b.gorm(tb, dialector(pool))
	if !b.stub {
		check(tb, plain.AutoMigrate(set.Models...))
		check(tb, seed(plain))
	}
	own, err := set.Resolver.Resolve(tb.Context(), account)
	check(tb, err)
	through := b.use(tb, dialector(home), tenancy.Config{
		Sharding: []tenancy.Sharding{set},
		Open: func(_ context.Context, shard string) (tenancy.Shard, error) {
			if shard != own.Shard {
				return tenancy.Shard{}, fmt.Errorf("a statement for %s", shard)
			}
			return tenancy.Shard{Primary: dialector(pool)}, nil
		},
	})
	s := newSite(tb, false, plain, b.gorm(tb, dialector(pool)), through, pool)
	s.table, s.owner, s.whose = table, "account_id", fmt.Sprint(account)
	s.tenancy.ctx = s.plain.ctx // that of no tenant
	return s
}

// besideSite is [rowsSite], with a plugin that has sharded tables too.
func besideSite(owned bool) func(testing.TB, backend) *site {
	return func(tb testing.TB, b backend) *site {
		tb.Helper()
		pool, dialector := b.open(tb, owned)
		closeAtEnd(tb, pool)
		through := b.use(tb, dialector(pool), tenancy.Config{
			Models: []any{&Invoice{}}, Global: []any{&Rate{}},
			Sharding: []tenancy.Sharding{{Models: []any{&Order{}}, Resolver: fourShards()}, {Models: []any{&Shipment{}}, Resolver: fourShards(), IDs: roomyIDs(tb)}},
			Open: func(context.Context, string) (tenancy.Shard, error) {
				return tenancy.Shard{Primary: dialector(pool)}, nil
			},
		})
		return newSite(tb, owned, b.gorm(tb, dialector(pool)), b.gorm(tb, dialector(pool)), through, pool)
	}
}
