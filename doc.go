// Package tenancy is a GORM plugin that holds every statement to one tenant.
//
// The context names the tenant, the callbacks confine the statement to the tenant's rows, the proof reads the text that
// comes out and shows that every table in it is confined, and the router (the outermost connection pool) sends nothing else:
//
//	db.Use(tenancy.New(tenancy.Config{Models: []any{&Customer{}, &Order{}}, SQL: postgres.New()}))
//	db.WithContext(tenancy.WithTenant(ctx, "acme")).Find(&orders) // acme's orders
//	db.Find(&orders)                                              // ErrNoTenant, and no SQL was sent
//
// # Promises
//
// Each has tests that carry its number, in plugin_test.go.
//
//  1. Closed by default. No tenant in the context, an unknown tenant, an unknown table, SQL that is not understood: a typed
//     error, and no statement is sent. That holds for every verb, for subqueries, and for Row, whose Scan returns the error.
//     Begin sends nothing until the first statement, which binds the transaction to its tenant and database.
//  2. Only the tenant's rows are read, changed, deleted, counted, joined, preloaded or attached, by every path that leaves
//     GORM.
//  3. A row cannot change hands: not by Save, by any OnConflict, by nested creates, association writes, foreign keys, map and
//     expression updates, Select or Omit.
//  4. One statement, one database: a statement runs on the database of its tenant's placement, inside a transaction on the
//     transaction's, or fails: never on a default one, and never by a statement that was prepared for another.
//  5. All the rows. A statement over many shards gives what one database with all the rows would give, or a typed error.
//  6. The plain case stays plain: GORM's own behaviour is unchanged. ErrMissingWhereClause still guards, errors of the driver
//     pass unwrapped, hooks, soft delete, ToSQL, prepared statements, default and nested transactions work.
//  7. Escapes are explicit: [WithoutTenant] takes a reason, is seen by the observer, and ends with its context.
//
// A row that carries another tenant's ID is [ErrTenantMismatch], never corrected; another tenant's row by primary key is
// gorm.ErrRecordNotFound, or no row changed; a condition on another tenant's ID is empty.
//
// # Where tenants live
//
// Config.Resolver turns a tenant's ID into a [Placement]: a shard (a database, with its replicas), a schema in it, a suffix of
// its tables' names. Tenants of all shapes can live side by side in one application.
//
//   - Shards are opened when they are first needed, and closed when others are ([PoolLimits]). db.DB and db.Connection, which
//     have no context, are refused if there is more than one database: use [DB].
//   - Schemas, databases of MySQL's, and suffixes are put into the text by the proof, so they need Config.SQL. Nothing is set on a
//     connection, but for statements of GORM's Migrator, which names no schema: on PostgreSQL each of them runs with a
//     search_path that ends with its transaction, on MySQL with a USE that is taken back.
//   - Config.RowSecurity has PostgreSQL confine each statement too, by policies that read a setting ([Plugin.RowSecurityDDL]).
//   - A place that is Exclusive, and any schema, belongs to one tenant: a second one is [ErrTenantMismatch], until the first
//     has moved away. Models without a tenant column live in exclusive places alone.
//   - Global tables (Config.Global) are in the default database. Reference tables (Config.Reference) have the same rows in all:
//     reads go to the default database, or within a transaction to its own; a write must say where: [OnAllShards] writes in all, [WithPlacement] in one.
//   - AutoMigrate works where its context leads: without a tenant on the default database.
//
// # Shards
//
// A field tagged tenancy:"shard_key" spreads the rows of a model, by the resolver of its set in Config.Sharding.
//
//   - The key is found in the rows that are written, in conditions of every form, in the primary key if that carries its shard
//     ([Sharding].IDs), and in a model that stands for a row (Save, Delete, Updates). [WithShardKey], [WithPlacement] and [OnAllShards]
//     say it instead, the innermost of them. Otherwise a statement is refused with [ErrMissingShardKey].
//   - Models of one set with equal keys are in one place, so a join over the key runs there. One that would meet rows of two
//     shards is [ErrCrossShard]; give foreign keys between sharded models the shard key.
//   - A SELECT over several placements, of an IN or under OnAllShards, is asked of all, and merged as it is read. What cannot be
//     merged exactly is [ErrUnmergeable].
//   - Writes over several placements need OnAllShards and are committed on each by itself ([PartialError]), but for those over
//     suffixes of one database in one transaction.
//   - A shard key is never changed. Primary keys must be unique over all shards: an upsert looks for the row on its own shard, and a
//     row with the same primary key elsewhere stays. Save, and reads by the primary key, notice that.
//   - A text key in a column that takes different texts for equal is refused unless it has the characters a-z 0-9 _ . : - alone.
//   - GORM's Migrator works on all placements under OnAllShards, and on one with WithPlacement. For that, Config.Dialector is wrapped if
//     models are sharded: it has another type than the application's own.
//
// # Limits
//
//   - Without Config.SQL, text that could reach a table is refused with [ErrUnconfinedSQL]: raw SQL, joins written as text,
//     several tables in Table, subselects inside strings. With it, what package sqlproof does not understand is: statements
//     other than SELECT, INSERT, UPDATE and DELETE, MERGE, functions in FROM that are not known to read their arguments
//     alone, session variables, more than one statement.
//
//   - What the database runs by itself is beyond the plugin: triggers, cascades, views that are not listed, stored functions
//     called by name in an expression. Functions of the database's own that read what their argument names, such as
//     query_to_xml, are refused.
//
//   - The catalog tables that describe tables and columns, with the number of rows that pg_class has, can be read with raw
//     SQL; those with statistics of values, such as pg_stats, with texts or counters, such as pg_views and pg_sequences, or of
//     other sessions cannot.
//
//   - The *sql.DB that db.DB or [DB] returns, and connections made from it, bypass the plugin.
//
//   - Foreign keys are looked at when a statement of GORM's writes them, not in raw SQL, and if a model with the relation is
//     listed or was used before: list all models. A key that carries the tenant, such as (tenant_id, id), is the stronger
//     choice: the database holds it.
//
//   - Without Config.SQL, a callback of the application's own, or of another plugin, is not looked at if it changes the
//     statement after "tenancy:confine". Register it before that one.
//
//   - A row of a join table whose ends are both missing belongs to nobody and is not shown.
//
//   - A unique index without the tenant column tells one tenant, by a duplicate key error, that some other has the value.
//
//   - On MySQL and MariaDB an upsert looks at the rows that it could meet, under lock, so concurrent ones may deadlock (error
//     1213) more often than in plain GORM. One that meets another tenant's row over a key that could not be looked at (a
//     generated column, the prefix of one, a row of the same moment) leaves that row alone; it is an error only if the
//     database gives the row's primary key back.
//
//   - MySQL (not MariaDB) refuses to UPDATE or DELETE rows of a table by a subquery on a join table that leads to it (error 1093):
//     the condition on the join table reads both tables at its ends. In text, where that condition would have to be added, it
//     is refused, on MariaDB too.
//
//   - MySQL and SQLite name a column without an alias after its text, so a subselect in the list to which a condition is
//     added gives its column another name. Write an alias.
//
//   - In text, a backslash before a quote is refused, because databases differ in what it means: write LIKE ? ESCAPE '!'.
//     Text is read as UTF-8: with a MySQL connection in another character set whose bytes can hold a quote, such as gbk or
//     sjis, raw SQL is read in another way than the server reads it.
//
//   - A view made by the Migrator from a query of a tenant holds that tenant's ID; one made from db.Raw is as it is written.
//     Neither can be read before it is listed.
//
//   - PostgreSQL chooses in which order it evaluates conditions, so an expression that fails, such as 1/(n-5), may do so on a
//     row of another tenant's, whose values can then be in the error. Row-level security prevents that for all but leakproof
//     functions. The tenant's condition stands first for databases that go by the order of the text, which none promises.
//
//   - A dry run with logger.Discard looks like a subquery of GORM's, and ToSQL then returns the text as it is before it is
//     proven. It was not sent anywhere, and would be proven if it were.
//
//   - With [UnlistedGlobal], raw SQL that names no table of tenants passes, whatever views and functions it uses.
//
//   - A placement is asked for before each statement; what moves a tenant while one runs must wait for it.
//
//   - With RowSecurity, other tenants' rows cannot be seen, so a foreign key to a row that is not there is refused like one to
//     another tenant's. What runs as the tables' owner without FORCE, or with an exempt role, is not held.
//
//   - Through a pooler that gives connections out by transaction, pgx's modes cache_statement and describe_exec mix up the
//     statements of different clients. This is looked for where schemas or row-level security are in use; for shared tables
//     and databases it is the application's to choose another mode.
//
//   - Replicas: a statement that calls a function which is not one of the database's well-known harmless ones goes to the
//     primary; dbresolver.Read sends it to a replica. Explicit transactions run on the primary.
//
//   - Names of databases and schemas that differ in case alone are taken for one on MySQL and SQLite.
//
//   - Under WithoutTenant a tenant's subquery on a model without a tenant column runs where the statement runs, and not where the
//     tenant is.
//
//   - A name with a schema that is given to the Migrator as a string is taken as it is on MySQL.
//
//   - Tables with a suffix are made by the Migrator where models are sharded, with the suffix in the names of indexes and constraints too,
//     but not in schemas, and not for the suffix of a tenant. In a schema of PostgreSQL it runs each statement in a transaction, so it
//     cannot make an index CONCURRENTLY there.
//
//   - A query whose rows cannot be read, for a value that does not fit or a context that ends, leaves its destination empty:
//     GORM would fill it with values that the process has read before, for anybody. Scan and ScanRows, which read outside the
//     callbacks, and the returned columns of a Create, have such values then: do not use a destination beside an error.
//
// # The packages
//
//   - callbacks has the hooks in GORM's chains; what they ask of this package is in its Rules interface.
//   - sqlproof proves statements by their text; sqlproof/postgres, sqlproof/mysql and sqlproof/sqlite read it, each with the
//     parser that it alone links.
//   - catalog is the directory of tenants in a master database, provision makes and drops tenants with all that is theirs, and
//     migrate changes the tables of all of them.
//   - idgen makes IDs that carry their shard.
//   - tenanthttp is middleware that puts the tenant of a request into its context.
//   - sqlite opens SQLite databases without cgo.
//   - tenancytest has the suite that this plugin, and applications, run to show isolation.
package tenancy
