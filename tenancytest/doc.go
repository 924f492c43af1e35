// Package tenancytest holds the suites that show that an application, with its database and its configuration of GORM,
// keeps tenants apart: the same that this project runs on SQLite, PostgreSQL and MariaDB.
//
// [TestIsolation] makes two databases. One holds the rows of tenants A and B and has the plugin; the other, called alone,
// holds the rows of A only and is used by plain GORM. Most cases run the same GORM calls on both and demand the same
// results and the same rows of A afterwards: so what is refused or filtered too much fails as surely as what leaks. In the
// shared database the rows of B are compared, all of them, before and after each case. The remaining cases are refusals:
// calls that plain GORM would let through, and that must end in a typed error.
//
// Where tenants have places of their own, [Harness].Places says where, and the suite makes the tables in each of them with the
// plugin, fills them and looks at them without it. A and B can be in schemas, in other databases, or one of them in shared
// tables. Where they have no table in common a key of B's is nobody's, so a statement that has only such a key must do what
// plain GORM does; a row that carries B's ID is refused everywhere. Tables of no tenant are Config.Global where all tenants
// live in the database itself or in its schemas, and Config.Reference where one lives in another database.
//
// Under row-level security the suite also looks at the rows past the plugin, on the plugin's own connections; and where A has
// a schema it takes a table away from it, to see that none of the same name is taken for it.
//
// Natural keys are equal in both tenants, and so are primary keys where the models allow it, so rows carry a mark that
// says whose they are.
package tenancytest
