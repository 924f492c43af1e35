package difftest

import (
	"fmt"
	"strings"

	"gorm.io/gorm"
)

// transaction makes a step of several in one transaction, which is committed, rolled back, or rolled back in part.
func (g *generator) transaction() step {
	var inner []step
	var text []string
	for range 1 + g.n(3) {
		s := g.one(g.singles()...)
		inner = append(inner, s)
		text = append(text, s.text)
	}
	runAll := func(s *side, steps []step) (out []outcome, err error) {
		for _, st := range steps {
			for _, o := range st.run(s) {
				if out = append(out, o); o.class != "" && o.class != "not found" {
					return out, o.err
				}
			}
		}
		return out, nil
	}
	joined := strings.Join(text, "; ")
	switch kind := g.n(5); kind {
	case 0, 1:
		end := []string{"commit", "rollback"}[kind]
		return step{text: "db.Transaction{ " + joined + "; " + end + " }", run: func(s *side) (out []outcome) {
			err := s.db.Transaction(func(tx *gorm.DB) (err error) {
				if out, err = runAll(s.in(tx), inner); err == nil && kind == 1 {
					err = errDeliberate
				}
				return err
			})
			return append(out, outcomeOf("Transaction", err, 0, true))
		}}
	case 2, 3:
		last := inner[len(inner)-1:]
		return step{text: fmt.Sprintf("db.Transaction{ %s; tx.Transaction{ %s; %s } }", strings.Join(text[:len(text)-1], "; "), last[0].text, []string{"", "", "commit", "rollback"}[kind]), run: func(s *side) (out []outcome) {
			err := s.db.Transaction(func(tx *gorm.DB) (err error) {
				if out, err = runAll(s.in(tx), inner[:len(inner)-1]); err != nil {
					return err
				}
				var more []outcome
				err = tx.Transaction(func(tx *gorm.DB) (err error) {
					if more, err = runAll(s.in(tx), last); err == nil && kind == 3 {
						err = errDeliberate
					}
					return err
				})
				if out = append(append(out, more...), outcomeOf("Transaction", err, 0, true)); classOf(err) == "deliberate" {
					return nil
				}
				return err
			})
			return append(out, outcomeOf("Transaction", err, 0, true))
		}}
	default:
		return step{text: fmt.Sprintf("tx := db.Begin(); tx.SavePoint; %s; tx.RollbackTo; %s; tx.Commit()", text[0], strings.Join(text[1:], "; ")), run: func(s *side) (out []outcome) {
			tx := s.db.Begin()
			defer tx.Rollback()
			if err := tx.SavePoint("here").Error; err != nil {
				return append(out, outcomeOf("SavePoint", err, 0, true))
			}
			out, err := runAll(s.in(tx), inner[:1])
			if err != nil {
				return out
			}
			if err := tx.RollbackTo("here").Error; err != nil {
				return append(out, outcomeOf("RollbackTo", err, 0, true))
			}
			more, err := runAll(s.in(tx), inner[1:])
			if out = append(out, more...); err != nil {
				return out
			}
			return append(out, outcomeOf("Commit", tx.Commit().Error, 0, true))
		}}
	}
}

// raw makes a step of text alone, which may be refused.
func (g *generator) raw() step {
	g.refusable = true
	switch g.n(4) {
	case 0:
		g.writes = true
		return step{text: `db.Exec("UPDATE customers SET score = score + ? WHERE id = ?", 1, 1)`, run: func(s *side) []outcome {
			tx := s.db.Exec("UPDATE customers SET score = score + ? WHERE id = ?", 1, 1)
			return []outcome{outcomeOf("Exec", tx.Error, tx.RowsAffected, true)}
		}}
	case 1:
		return step{text: `db.Raw("SELECT id, name FROM customers ORDER BY id").Scan(&[]dto{})`, run: func(s *side) []outcome {
			v := []dto{}
			tx := s.db.Raw("SELECT id, name FROM customers ORDER BY id").Scan(&v)
			return []outcome{outcomeOf("Raw", tx.Error, tx.RowsAffected, true, v)}
		}}
	case 2:
		return step{text: `db.Where("id IN (SELECT customer_id FROM orders)").Find(&[]Customer{})`, run: func(s *side) []outcome {
			v := []Customer{}
			tx := s.db.Where("id IN (SELECT customer_id FROM orders)").Find(&v)
			return []outcome{outcomeOf("Find", tx.Error, tx.RowsAffected, false, v)}
		}}
	default:
		return step{text: `db.Table("customers, orders").Where("orders.customer_id = customers.id").Count(&n)`, run: func(s *side) []outcome {
			var n int64
			tx := s.db.Table("customers, orders").Where("orders.customer_id = customers.id").Count(&n)
			return []outcome{outcomeOf("Count", tx.Error, tx.RowsAffected, true, n)}
		}}
	}
}
