package provision

import (
	"context"
	"fmt"
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// referenceBatch is how many rows are copied with one statement.
const referenceBatch = 500

// copyReference gives a new database the rows of the reference tables, as the default database has them. Rows that Tables has made
// already are left as they are.
func (c *creation) copyReference(ctx context.Context) error {
	here, _ := c.of(ctx, c.tenant)
	there := c.cfg.DB.WithContext(tenancy.WithPlacement(here, c.tenant.Placement)).Session(&gorm.Session{SkipHooks: true})
	return there.Transaction(func(tx *gorm.DB) error {
		for _, model := range c.cfg.Reference {
			if err := c.copyTable(ctx, tx, model); err != nil {
				return fmt.Errorf("%T: %w", model, err)
			}
		}
		return nil
	})
}

// nobodys is a context without any values, and so without a tenant: its statements go to the default database.
type nobodys struct{ context.Context }

// Value implements [context.Context].
func (nobodys) Value(any) any { return nil }

// copyTable copies one table, which is read with one query.
func (c *creation) copyTable(ctx context.Context, to *gorm.DB, model any) (err error) {
	stmt := &gorm.Statement{DB: c.cfg.DB}
	if err := stmt.Parse(model); err != nil {
		return err
	}
	from := c.cfg.DB.WithContext(nobodys{ctx}).Session(&gorm.Session{SkipHooks: true}).Unscoped()
	rows := reflect.New(reflect.SliceOf(stmt.Schema.ModelType))
	if err := from.Find(rows.Interface()).Error; err != nil || rows.Elem().Len() == 0 {
		return err
	}
	return to.Clauses(clause.OnConflict{DoNothing: true}).Omit(clause.Associations).CreateInBatches(rows.Interface(), referenceBatch).Error
}
