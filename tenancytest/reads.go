package tenancytest

import (
	"database/sql"
	"errors"
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// nameOnly is what an application reads a part of a row into.
type nameOnly struct {
	Name string
	Mark string
}

// result is what a finder gives: the rows, how many GORM says they are, and the error.
func result(tx *gorm.DB, dest any) any {
	return []any{dest, tx.RowsAffected, tx.Error}
}

// reads are GORM's finders: only the tenant's rows, and all of them.
func reads() []check {
	const rule = "a finder returns the tenant's rows and no others"
	return slices.Concat(finders(rule), readers(rule), aggregates(), sessions(rule))
}

func finders(rule string) []check {
	return []check{
		reading("Find", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(db.Find(got), got)
		}),
		reading("First", rule, func(c *trial, db *gorm.DB) any {
			got := c.noParent()
			return result(db.First(got), got)
		}),
		reading("Last", rule, func(c *trial, db *gorm.DB) any {
			got := c.noParent()
			return result(db.Last(got), got)
		}),
		reading("Take with a natural key that B has too", rule, func(c *trial, db *gorm.DB) any {
			got := c.noParent()
			return result(db.Take(got, "name = ?", "p2"), got)
		}),
		reading("First by primary key", rule, func(c *trial, db *gorm.DB) any {
			got := c.noParent()
			return result(db.First(got, c.id(2)), got)
		}),
		reading("First by B's primary key", "another tenant's row is not found", func(c *trial, db *gorm.DB) any {
			got := c.noParent()
			return result(db.First(got, c.idB(2)), got)
		}),
		reading("First on a struct with B's primary key", "another tenant's row is not found", func(c *trial, db *gorm.DB) any {
			got := c.parent(fields{"ID": c.idB(3)})
			tx := db.First(got)
			return []any{tx.Error, field(got, "Mark")}
		}),
		reading("Find by primary keys of both", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(db.Find(got, []uint{c.id(1), c.id(2), c.idB(1), c.idB(3)}), got)
		}),
		reading("a struct as condition", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(db.Where(with(c.noParent(), fields{"Name": "p1"})).Find(got), got)
		}),
		reading("a map as condition", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(db.Where(map[string]any{"name": []string{"p1", "p3"}}).Find(got), got)
		}),
		reading("Find into an array", rule, func(c *trial, db *gorm.DB) any {
			got := reflect.New(reflect.ArrayOf(10, c.world.shape.parent))
			return result(db.Find(got.Interface()), got.Interface())
		}),
		reading("Find into pointers", rule, func(c *trial, db *gorm.DB) any {
			got := reflect.New(reflect.SliceOf(reflect.PointerTo(c.world.shape.parent))).Interface()
			return result(db.Find(got), got)
		}),
		reading("Order, Limit and Offset", "a condition of the plugin changes no other clause", func(c *trial, db *gorm.DB) any {
			var got []string
			return result(db.Model(c.noParent()).Order("score DESC").Limit(2).Offset(1).Pluck("name", &got), &got)
		}),
		reading("Distinct", rule, func(c *trial, db *gorm.DB) any {
			var got []string
			return result(db.Model(c.noParent()).Distinct("mark").Find(&got), &got)
		}),
		reading("Find in a model's own table under an alias", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(db.Table(c.quotedTable(c.noParent())+" AS x").Where("x.score > ?", 10).Find(got), got)
		}),
		reading("FirstOrInit", "FirstOrInit does not find another tenant's row, and keeps its conditions", func(c *trial, db *gorm.DB) any {
			found, made := c.noParent(), c.noParent()
			return []any{
				db.Where(fields{"name": "p1"}).Attrs(fields{"score": 5}).FirstOrInit(found).Error, found,
				db.Where(fields{"name": "new"}).Attrs(fields{"score": 5}).FirstOrInit(made).Error, field(made, "Name"), field(made, "Score"),
			}
		}),
	}
}

func readers(rule string) []check {
	return []check{
		reading("Pluck", rule, func(c *trial, db *gorm.DB) any {
			var got []string
			return result(db.Model(c.noParent()).Order("name").Pluck("mark", &got), &got)
		}),
		reading("Scan into another struct", rule, func(c *trial, db *gorm.DB) any {
			var got []nameOnly
			return result(db.Model(c.noParent()).Scan(&got), &got)
		}),
		reading("Find into a smaller struct", rule, func(c *trial, db *gorm.DB) any {
			var got []nameOnly
			return result(db.Model(c.noParent()).Find(&got), &got)
		}),
		reading("Find into maps", rule, func(c *trial, db *gorm.DB) any {
			var got []map[string]any
			return result(db.Model(c.noParent()).Select("name", "mark", "score").Find(&got), &got)
		}),
		reading("Table without a model, into maps", "a table is known by its name", func(c *trial, db *gorm.DB) any {
			var got []map[string]any
			return result(db.Table(c.table(c.noParent())).Select("name", "mark").Find(&got), &got)
		}),
		reading("Table without a model, into another struct", "a table is known by its name", func(c *trial, db *gorm.DB) any {
			var got []nameOnly
			return result(db.Table(c.table(c.noParent())).Where("score > 1 OR score < 1").Find(&got), &got)
		}),
		reading("Table without a model, under an alias", "a table is known by its name", func(c *trial, db *gorm.DB) any {
			var got []nameOnly
			return result(db.Table(c.quotedTable(c.noParent())+" AS x").Select("x.name, x.mark").Scan(&got), &got)
		}),
		reading("Table in another spelling", "a table is known however its name is spelled", func(c *trial, db *gorm.DB) any {
			var got []nameOnly
			tx := db.Table(c.quotedTable(c.noParent())).Select("name, mark").Scan(&got)
			return result(tx, &got)
		}),
		reading("Count of a table without a model", "a table is known by its name", func(c *trial, db *gorm.DB) any {
			var n int64
			return result(db.Table(c.table(c.noParent())).Count(&n), n)
		}),
		reading("the generated join table by name", "a join table's rows belong to whoever owns both ends", func(c *trial, db *gorm.DB) any {
			var got []map[string]any
			return result(db.Table(c.joinTable()).Find(&got), &got)
		}),
		reading("Rows and ScanRows", rule, func(c *trial, db *gorm.DB) any {
			rows, err := db.Model(c.noParent()).Order("name").Rows()
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			got := c.parents()
			for rows.Next() {
				p := c.noParent()
				if err := db.ScanRows(rows, p); err != nil {
					return err
				}
				got = c.parents(slices.Concat(pointers(got), []any{p})...)
			}
			return []any{got, rows.Err()}
		}),
		reading("Row", rule, func(c *trial, db *gorm.DB) any {
			var got, none sql.NullString
			err := db.Model(c.noParent()).Where("name = ?", "p2").Select("mark").Row().Scan(&got)
			missing := db.Model(c.noParent()).Where("name = ?", "nobody").Select("mark").Row().Scan(&none)
			return []any{got.String, err, missing}
		}),
		reading("FindInBatches", "every batch is scoped, and statements in its function", func(c *trial, db *gorm.DB) any {
			var names []string
			var counts []int64
			got := c.parents()
			err := db.FindInBatches(got, 2, func(tx *gorm.DB, _ int) error {
				for _, p := range pointers(got) {
					names = append(names, label(p))
				}
				var n int64
				if err := tx.Model(c.noChild()).Count(&n).Error; err != nil {
					return err
				}
				counts = append(counts, n)
				return nil
			}).Error
			return []any{names, counts, err}
		}),
		reading("FindInBatches with conditions", "every batch is scoped", func(c *trial, db *gorm.DB) any {
			var names []string
			got := c.parents()
			err := db.Where("score = 10 OR score = 20 OR score = 30").FindInBatches(got, 1, func(*gorm.DB, int) error {
				for _, p := range pointers(got) {
					names = append(names, label(p))
				}
				return nil
			}).Error
			return []any{names, err}
		}),
	}
}

// pointers returns the records of a list that [trial.parents] has made.
func pointers(list any) []any {
	v := reflect.Indirect(reflect.ValueOf(list))
	out := make([]any, v.Len())
	for i := range out {
		out[i] = v.Index(i).Addr().Interface()
	}
	return out
}

func aggregates() []check {
	const rule = "aggregates are over the tenant's rows"
	return []check{
		reading("Count", rule, func(c *trial, db *gorm.DB) any {
			var n int64
			return result(db.Model(c.noParent()).Count(&n), n)
		}),
		reading("Count with Distinct", rule, func(c *trial, db *gorm.DB) any {
			var n int64
			return result(db.Model(c.noChild()).Distinct("parent_id").Count(&n), n)
		}),
		reading("Count with Group", rule, func(c *trial, db *gorm.DB) any {
			var n int64
			return result(db.Model(c.noChild()).Group("parent_id").Count(&n), n)
		}),
		reading("Sum", rule, func(c *trial, db *gorm.DB) any {
			var n sql.NullInt64
			return result(db.Model(c.noParent()).Select("sum(score)").Scan(&n), n.Int64)
		}),
		reading("Group and Having", rule, func(c *trial, db *gorm.DB) any {
			var got []map[string]any
			tx := db.Model(c.noChild()).Select("parent_id, count(*) AS n").Group("parent_id").Having("count(*) > ? OR count(*) > ?", 1, 100).Find(&got)
			return []any{len(got), tx.Error}
		}),
		reading("Max over an empty set", rule, func(c *trial, db *gorm.DB) any {
			var n sql.NullInt64
			return result(db.Model(c.noParent()).Where("name = ?", "nobody").Select("max(score)").Scan(&n), n.Valid)
		}),
	}
}

func sessions(rule string) []check {
	return []check{
		reading("Scopes", "the application's scopes are composed with the tenant", func(c *trial, db *gorm.DB) any {
			var got []string
			rich := func(tx *gorm.DB) *gorm.DB { return tx.Where("score >= ?", 20).Or("score = ?", 10) }
			page := func(tx *gorm.DB) *gorm.DB { return tx.Order("score DESC").Limit(2) }
			return result(db.Model(c.noParent()).Scopes(rich, page).Pluck("name", &got), &got)
		}),
		reading("Unscoped", "Unscoped lifts soft delete and never the tenant", func(c *trial, db *gorm.DB) any {
			got := c.parents()
			var n int64
			return []any{db.Unscoped().Find(got).Error, got, db.Unscoped().Model(c.noParent()).Count(&n).Error, n}
		}),
		reading("one chain used twice", "a chain can be used again", func(c *trial, db *gorm.DB) any {
			q := db.Model(c.noParent()).Where("score > ?", 10)
			var n int64
			first, second := c.parents(), c.parents()
			return []any{
				q.Session(&gorm.Session{}).Count(&n).Error, n, q.Session(&gorm.Session{}).Find(first).Error, first,
				q.Count(&n).Error, n, q.Find(second).Error, second,
			}
		}),
		reading("PrepareStmt in a session", rule, func(c *trial, db *gorm.DB) any {
			prepared := db.Session(&gorm.Session{PrepareStmt: true})
			var out []any
			for range 2 {
				got := c.parents()
				out = append(out, prepared.Where("score > ?", 10).Find(got).Error, got)
			}
			return out
		}),
		{name: "one prepared statement for two tenants", rule: "a cached statement holds no tenant", run: func(c *trial) {
			for range 2 {
				a, b := c.noParent(), c.noParent()
				prepared := &gorm.Session{PrepareStmt: true}
				if err := errors.Join(c.b.Session(prepared).Take(b, "name = ?", "p1").Error, c.a.Session(prepared).Take(a, "name = ?", "p1").Error); err != nil {
					c.Fatal(err)
				}
				if field(a, "Mark") != markA || field(b, "Mark") != markB {
					c.Error("a statement that was prepared for one tenant returned its rows to another: ", c.rule)
				}
			}
		}},
		{name: "a chain handed to another tenant", rule: "the tenant is that of the context in which the statement runs", run: func(c *trial) {
			q := c.a.Model(c.noParent()).Where("name = ?", "p1")
			a, b, again := c.noParent(), c.noParent(), c.noParent()
			if err := errors.Join(q.Session(&gorm.Session{}).Take(a).Error,
				q.WithContext(c.asB(c.Context())).Take(b).Error, q.WithContext(c.asA(c.Context())).Take(again).Error); err != nil {
				c.Fatal(err)
			}
			if field(a, "Mark") != markA || field(b, "Mark") != markB || field(again, "Mark") != markA {
				c.Error(c.rule)
			}
		}},
		reading("Locking", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return db.Transaction(func(tx *gorm.DB) error {
				if db.Name() == "sqlite" {
					return tx.Find(got).Error
				}
				return tx.Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"}).Find(got).Error
			})
		}),
		reading("DryRun", "a dry run builds the statement and sends none", func(c *trial, db *gorm.DB) any {
			got := c.parents()
			tx := db.Session(&gorm.Session{DryRun: true}).Find(got)
			return []any{tx.Error, got, tx.Statement.SQL.Len() > 0}
		}),
	}
}
