// Package catalog is the directory of tenants in a master database: which there are, by which names and domains they are
// found, what state they are in, and where they live.
//
// A [Catalog] is the Resolver of the plugin, and opens its shards:
//
//	tenants, err := catalog.Open(ctx, master, catalog.Config{Connect: connect}) // makes its tables by itself
//	err = db.Use(tenancy.New(tenancy.Config{Models: models, SQL: postgres.New(), Resolver: tenants, Open: tenants.OpenShard}))
//
// A tenant is made with [Catalog.Create], which chooses its place and leaves it in the state [Creating]; package provision
// calls it, makes the storage, and makes the tenant [Active]. Statements of tenants in other states are refused.
//
// # Promises
//
//   - Each change is one transaction with an epoch of its own, and with one row of the history. Epochs are committed in their
//     order: who has seen one has seen all that came before. So there is one change at a time, in all processes together.
//   - A change that was committed is acted on, by every process that can reach the master, after Config.MaxStale at the latest,
//     and by the process that made it when the call returns. That holds for a process that was stopped and goes on, too.
//   - While the master is out of reach, tenants that are cached are served for Config.Outage. Others are
//     [tenancy.ErrTenantUnavailable].
//   - IDs, names and domains are unique, and so are places that one tenant has alone. They are compared byte by byte in every
//     database.
//   - The name of an own schema or database is given once: no tenant gets that of an earlier one, whose files and connections
//     other processes may still have open.
//
// # The master database
//
// It is PostgreSQL, MySQL, MariaDB or SQLite, and is given as a *gorm.DB of its own, without the plugin. It may be the database
// that the plugin's default one is too. The tables begin with tenancy_; [Open] makes and upgrades them, one process at a time.
// The catalog sends SQL through database/sql, so that neither GORM's callbacks nor a resolver of replicas come between; errors of
// the driver pass as they are.
//
// Give it a pool of its own: who uses up its connections keeps the catalog from its work, and tenants are refused then. On a server
// the catalog keeps one connection to ask for changes, on PostgreSQL one more to be told of them, and one for each lock (see
// [Catalog.TryLock]), of which package provision takes one or two for each tenant that it makes or drops at the moment. So a
// bounded pool has 6 connections or more, and a pooler's default_pool_size has room for the locks of all processes.
//
// # Limits
//
//   - Who writes into the tables by hand goes past epochs and caches. Everything can be changed by methods.
//   - A failover to a replica that has lost committed changes can bring back epochs that were seen already. Processes notice
//     that if the epoch is lower than before, and begin anew; restart them if it may have grown again in the meantime.
//   - The history grows with every change. Rows may be deleted: those who were to read them take everything for changed.
package catalog
