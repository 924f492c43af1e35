package migrate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// Fingerprint returns a short text that changes when AutoMigrate of the models would make other tables: with their names,
// columns, types, defaults, indexes, constraints and join tables. The order of the models and of their fields does not count. It
// sends no SQL.
func Fingerprint(db *gorm.DB, models ...any) (string, error) {
	p := printer{db: db, tables: map[string]string{}}
	var errs []error
	for _, m := range models {
		stmt := &gorm.Statement{DB: db}
		if err := stmt.Parse(m); err != nil {
			errs = append(errs, fmt.Errorf("%T: %w", m, err))
			continue
		}
		p.add(stmt.Schema)
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.tables)) {
		_, _ = fmt.Fprintf(hash, "%q %s\n", name, p.tables[name]) // a hash takes everything
	}
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}

// printer describes tables.
type printer struct {
	db     *gorm.DB
	tables map[string]string
}

// add describes the table of a model, and its join tables.
func (p *printer) add(s *schema.Schema) {
	if _, known := p.tables[s.Table]; known {
		return
	}
	var lines []string
	note := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	p.tables[s.Table] = ""
	for _, name := range s.DBNames {
		f := s.FieldsByDBName[name]
		if f.IgnoreMigration {
			continue
		}
		note("column %q %q primary %v unique %v", name, p.db.Migrator().FullDataTypeOf(f).SQL, f.PrimaryKey, f.Unique)
		if f.Comment != "" {
			note("comment %q %q", name, f.Comment)
		}
	}
	for _, i := range s.ParseIndexes() {
		var columns []string
		for _, o := range i.Fields {
			columns = append(columns, fmt.Sprintf("%q %q %q %q %d", o.DBName, o.Expression, o.Sort, o.Collate, o.Length))
		}
		note("index %q %q %q %q %q %q %q", i.Name, i.Class, i.Type, i.Where, i.Option, i.Comment, columns)
	}
	for _, c := range s.ParseCheckConstraints() {
		note("check %q %q", c.Name, c.Constraint)
	}
	for _, c := range s.ParseUniqueConstraints() {
		note("unique %q %q", c.Name, c.Field.DBName)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Relationships.Relations)) {
		r := s.Relationships.Relations[name]
		if r.Field.IgnoreMigration {
			continue
		}
		if c := r.ParseConstraint(); c != nil {
			note("foreign key %q of %q %q to %q %q on delete %q on update %q", c.Name, c.Schema.Table, columnNames(c.ForeignKeys),
				c.ReferenceSchema.Table, columnNames(c.References), c.OnDelete, c.OnUpdate)
		}
		if r.JoinTable != nil {
			note("join table %q", r.JoinTable.Table)
			p.add(r.JoinTable)
		}
	}
	slices.Sort(lines)
	p.tables[s.Table] = strings.Join(lines, "\n")
}

func columnNames(fields []*schema.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.DBName
	}
	return names
}
