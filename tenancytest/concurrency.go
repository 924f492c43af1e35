package tenancytest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// Crowd is how many share one *gorm.DB in [TestConcurrency], and for how long. Zero values: 50 goroutines, 20 tenants, one
// second.
type Crowd struct {
	Goroutines, Tenants int
	For                 time.Duration
}

// TestConcurrency lets many goroutines read, write, join, preload and run transactions on one *gorm.DB, each statement for
// a random tenant, and looks at the mark of every row that is read. Run it with -race.
func TestConcurrency(t *testing.T, h Harness, crowd Crowd) {
	t.Helper()
	if crowd.Goroutines == 0 {
		crowd.Goroutines = 50
	}
	if crowd.Tenants == 0 {
		crowd.Tenants = 20
	}
	if crowd.For == 0 {
		crowd.For = time.Second
	}
	w, home := shapes()[0], h.Database(t)
	ids, tenants := make([]tenancy.ID, crowd.Tenants), make([]owner, crowd.Tenants)
	for i := range ids {
		ids[i] = tenancy.ID(fmt.Sprintf("t%d", i))
		tenants[i] = owner{ids[i], string(ids[i]), uint(i+1) * 1000}
	}
	places := h.placesOf(t, home, ids...)
	// GORM's cache of prepared statements deadlocks when transactions hold all connections (gorm v1.31.2 prepare_stmt.go
	// prepare waits for another goroutine's statement under its lock).
	cfg := tenancy.Config{SQL: h.SQL, Pools: tenancy.PoolLimits{Connections: 2 * crowd.Goroutines}}
	places.Configure(&cfg)
	db := h.open(t, places.Home())
	own, err := db.DB()
	require.NoError(t, err)
	own.SetMaxOpenConns(2 * crowd.Goroutines)
	s := h.locate(t, &cfg, places, home, tenants)
	s.classify(&cfg, w.models, w.global)
	h.install(t, db, cfg)
	s.make(t, db, places, cfg.RowSecurity != "", w.models, w.global)
	for _, here := range s.all {
		here.fill(t, w)
		skipNumbers(t, here.db, here.tables, (crowd.Tenants+1)*1000)
	}

	end := time.Now().Add(crowd.For)
	var wg sync.WaitGroup
	for g := range crowd.Goroutines {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(g))) //nolint:gosec // not for secrets
			for n := 0; time.Now().Before(end) && !t.Failed(); n++ {
				id := tenancy.ID(fmt.Sprintf("t%d", rng.IntN(crowd.Tenants)))
				m := &crowdMember{T: t, id: string(id), db: db.WithContext(tenancy.WithTenant(t.Context(), id)), rng: rng, name: fmt.Sprintf("g%d-%d", g, n)}
				m.act()
			}
		})
	}
	wg.Wait()

	for _, here := range s.all {
		pool, err := tenancy.DB(db.WithContext(here.context(t.Context())))
		require.NoError(t, err)
		assert.Zero(t, pool.Stats().InUse, "connections that were not given back")
		if len(here.owners) == 0 {
			continue
		}
		var strangers int64
		raw := here.db
		require.NoError(t, raw.Model(&textParent{}).Where("mark <> tenant_id").Count(&strangers).Error)
		assert.Zero(t, strangers, "parents with another tenant's mark")
		require.NoError(t, raw.Model(&textChild{}).Where("mark <> tenant_id").Count(&strangers).Error)
		assert.Zero(t, strangers, "children with another tenant's mark")
		require.NoError(t, raw.Model(&textChild{}).Joins("JOIN text_parents p ON p.id = parent_id").Where("p.tenant_id <> text_children.tenant_id").Count(&strangers).Error)
		assert.Zero(t, strangers, "children of another tenant's parents")
		require.NoError(t, raw.Model(&textParent{}).Where("tenant_id NOT IN ?", here.ids()).Count(&strangers).Error)
		assert.Zero(t, strangers, "parents of tenants that live elsewhere")
	}
}

// crowdMember is one goroutine for the time of one action.
type crowdMember struct {
	*testing.T
	id, name string
	db       *gorm.DB
	rng      *rand.Rand
}

// act does one thing out of many.
func (m *crowdMember) act() {
	actions := []func() error{m.find, m.join, m.preload, m.count, m.create, m.update, m.upsert, m.remove, m.transact, m.roll, m.rows}
	err := actions[m.rng.IntN(len(actions))]()
	if err != nil && strings.Contains(strings.ToLower(err.Error()), "deadlock") {
		return // InnoDB and PostgreSQL end one of two transactions that wait for each other; nothing of it stays
	}
	assert.NoError(m, err, "as %s", m.id)
}

// session makes every other statement a prepared one.
func (m *crowdMember) session(db *gorm.DB) *gorm.DB {
	return db.Session(&gorm.Session{PrepareStmt: m.rng.IntN(2) == 0})
}

func (m *crowdMember) mine(p *textParent) {
	if p == nil {
		return
	}
	marks := []string{p.Mark, p.TenantID}
	for _, c := range p.Children {
		marks = append(marks, c.Mark, c.TenantID)
	}
	for _, tag := range p.Tags {
		marks = append(marks, tag.Mark, tag.TenantID)
	}
	if p.Profile != nil {
		marks = append(marks, p.Profile.Mark)
	}
	for _, mark := range marks {
		if mark != m.id {
			m.Errorf("%s got a row of %q: %+v", m.id, mark, p)
			return
		}
	}
	m.mine(p.Boss)
}

func (m *crowdMember) find() error {
	var ps []textParent
	err := m.session(m.db).Where("name = ? OR score > ?", "p1", 10).Or("score = 10").Find(&ps).Error
	if err == nil && len(ps) < 4 {
		return fmt.Errorf("%d rows of 4", len(ps))
	}
	for i := range ps {
		m.mine(&ps[i])
	}
	return err
}

func (m *crowdMember) join() error {
	var ps []textParent
	err := m.session(m.db).Joins("Boss").Joins("Profile").Joins("Country").Where(clause.Neq{Column: clause.Column{Table: clause.CurrentTable, Name: "name"}, Value: "x"}).Limit(10).Find(&ps).Error
	for i := range ps {
		m.mine(&ps[i])
	}
	return err
}

func (m *crowdMember) preload() error {
	var p textParent
	err := m.session(m.db).Preload("Children").Preload("Tags").Preload("Boss.Children").Take(&p, "name = ?", "p1").Error
	if err == nil && (len(p.Children) < 2 || len(p.Tags) != 2) {
		return fmt.Errorf("%d children, %d tags", len(p.Children), len(p.Tags))
	}
	m.mine(&p)
	return err
}

func (m *crowdMember) count() error {
	var n int64
	err := m.db.Model(&textTag{}).Where("id IN (?)", m.db.Session(&gorm.Session{NewDB: true}).Model(&textTag{}).Select("id")).Count(&n).Error
	if err == nil && n != 4 {
		return fmt.Errorf("%d tags of 4", n)
	}
	return err
}

func (m *crowdMember) create() error {
	var p textParent
	if err := m.db.Take(&p, "name = ?", "p3").Error; err != nil {
		return err
	}
	c := textChild{ChildData: ChildData{Name: m.name, Mark: m.id, ParentID: &p.ID}}
	return m.session(m.db).Create(&c).Error
}

func (m *crowdMember) update() error {
	tx := m.session(m.db).Model(&textParent{}).Where("name = ?", "p2").Updates(map[string]any{"score": m.rng.IntN(100) + 11})
	if tx.Error == nil && tx.RowsAffected > 1 {
		return fmt.Errorf("%d rows updated", tx.RowsAffected)
	}
	return tx.Error
}

func (m *crowdMember) upsert() error {
	t := textTag{TagData: TagData{Name: "red", Mark: m.id}}
	return m.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "tenant_id"}, {Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"mark"})}).Create(&t).Error
}

func (m *crowdMember) remove() error {
	return m.session(m.db).Where("name LIKE ?", "g%").Delete(&textChild{}).Error
}

func (m *crowdMember) transact() error {
	return m.session(m.db).Transaction(func(tx *gorm.DB) error {
		var ps []textParent
		if err := tx.Create(&textChild{ChildData: ChildData{Name: m.name + "t", Mark: m.id}}).Error; err != nil {
			return err
		}
		err := tx.Transaction(func(tx *gorm.DB) error { return tx.Preload("Children").Find(&ps).Error })
		for i := range ps {
			m.mine(&ps[i])
		}
		return err
	})
}

func (m *crowdMember) roll() error {
	err := m.db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&textParent{}).Where("1 = 1").Update("mark", "rolled back").Error; err != nil {
			return err
		}
		return errStop
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

func (m *crowdMember) rows() error {
	rows, err := m.session(m.db).Model(&textChild{}).Select("mark").Limit(20).Rows()
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var mark string
		if err := rows.Scan(&mark); err != nil {
			return err
		}
		assert.Equal(m, m.id, mark)
	}
	return rows.Err()
}
