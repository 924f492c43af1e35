// Package benchmarks measures what the plugin costs: each statement with the tenant written by hand in plain GORM, against
// the same statement through the plugin. It has tests only.
//
// The table that the README shows, with the noise of the measurement (plain GORM against itself) beside each figure:
//
//	TENANCY_BENCH_TABLE=1 go test -v -count=1 -timeout 30m -run TestTable ./benchmarks
//
// It takes some minutes. The value is the number of processes that measure; 1 stands for the usual number. Several, because
// two of them differ more than the rounds of one, by up to 4 %. Two tables, made on two cores that others used as well, agreed
// within 1 % in three of four lines and 3 % in all but INSERT of 100 rows on the stub, which moved by 4 to 8 %.
//
// One figure, as a benchmark, whose iterations are rounds, all of one process:
//
//	go test -run '^$' -bench 'Ratio/tenant/^stub$/^first$' -benchtime 31x ./benchmarks
//
// Absolute figures of both sides, for benchstat and profiles. The two sides run one after the other here, so that a
// machine whose speed drifts shows differences that are not there:
//
//	go test -run '^$' -bench 'Statement/tenant/^stub$/^first$/' -count 10 ./benchmarks
//
// Families whose names begin with "place/" are of tenants that have a place of their own. Plain GORM is opened straight on the
// tenant's database or schema there, and for row-level security the other side is the plugin without it:
//
//	go test -run '^$' -bench 'Ratio/place/(database|schema)/stub-proof' -benchtime 31x ./benchmarks
//
// Families whose names begin with "shard/" are of a plugin that has sharded tables: four shards by the hash of a key. Plain GORM is
// opened straight on the shard there, with the same condition on the key.
//
// BenchmarkFanOut and BenchmarkFanMemory are of statements on all shards. What postgres_fdw, MariaDB's Spider and SQLAlchemy's
// ShardedSession take for the same is printed by
//
//	TENANCY_BENCH_PEERS=5 go test -v -count=1 -run TestPeers ./benchmarks
//
// What does not fit into the table has benchmarks of its own: BenchmarkTenants (whether it matters how many there are),
// BenchmarkColdTenant, BenchmarkMemory and BenchmarkParallel. TENANCY_BENCH_FULL=1 makes their fleets larger.
//
// The backends are a driver that answers at once, so that nothing but GORM, database/sql and the plugin is measured ("stub",
// and "stub-notx" with SkipDefaultTransaction), SQLite in a file, and PostgreSQL where there is a server.
//
// The context is made once for all statements, as a web server's middleware would, and cannot be cancelled: that is the
// cheapest plain GORM there is, so ratios are at their worst. Times are means of the middle half of runs that alternate: what
// the garbage collector takes now and then is not in them, so the bytes are beside them.
package benchmarks
