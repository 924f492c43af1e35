// Package provision makes and drops the storage of tenants.
//
// [CreateDatabase], [DropDatabase] and [DatabaseExists] take the DSN of the database in question; [CreateSchema], [DropSchema]
// and [SchemaExists] a *gorm.DB and a name. They quote every name, refuse those that a server would cut off, may be called
// again and by many at once, and show no DSN in their errors.
//
// A [Provisioner] makes and drops whole tenants, in whatever shape: catalog, storage, tables, keys, policies, first rows. What fails
// half way is taken back, and what a killed process has left is ended by the next call, or by [Provisioner.Recover].
package provision
