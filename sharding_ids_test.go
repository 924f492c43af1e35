package tenancy_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/idgen"
)

// Parcel is sharded by its city, and its ID says where it is.
type Parcel struct {
	ID     int64  `gorm:"autoIncrement:false;uniqueIndex:of_city,priority:2"`
	City   string `gorm:"size:63;uniqueIndex:of_city,priority:1" tenancy:"shard_key"`
	Weight int
	Items  []ParcelItem `gorm:"foreignKey:City,ParcelID;references:City,ID"`
}

// ParcelItem is where its parcel is.
type ParcelItem struct {
	ID       uint64 `gorm:"autoIncrement:false"`
	City     string `gorm:"size:63" tenancy:"shard_key"`
	ParcelID int64
}

// Letter has a UUID.
type Letter struct {
	ID   uuid.UUID `gorm:"type:char(36)"`
	City string    `gorm:"size:63" tenancy:"shard_key"`
	Note string
}

// Postcard has the text of a UUID.
type Postcard struct {
	ID   string `gorm:"size:36"`
	City string `gorm:"size:63" tenancy:"shard_key"`
	Note string
}

// cities are keys that are on all four shards.
var cities = []string{"aarhus", "bergen", "cork", "delft", "esbjerg", "faro", "gdansk", "halle", "ivrea", "jena", "kiel", "lund", "malmo", "narvik", "oulu", "porto", "riga", "siena", "basel", "lyon", "graz", "bath", "turin", "vigo", "brno", "linz", "split", "gent", "nantes"}

// post is an application whose IDs carry their shard.
type post struct {
	*testing.T
	db     *gorm.DB
	shards []*gorm.DB // without the plugin
	log    *recorder
}

// newPost opens it; at are the placements by shard.
func newPost(t *testing.T, e engine, node int, resolver func(at []tenancy.Placement) tenancy.ShardResolver) *post {
	t.Helper()
	p := &post{T: t, log: &recorder{Interface: logger.Discard}}
	var shards []tenancy.Shard
	var at []tenancy.Placement
	for i := range 4 {
		open := e.fresh(t)
		name := fmt.Sprintf("s%d", i)
		shards = append(shards, tenancy.Shard{Name: name, Primary: open()})
		at = append(at, tenancy.Placement{Shard: name})
		plain, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		require.NoError(t, plain.AutoMigrate(&Parcel{}, &ParcelItem{}, &Letter{}, &Postcard{}))
		p.shards = append(p.shards, plain)
		t.Cleanup(func() {
			pool, err := plain.DB()
			require.NoError(t, err)
			require.NoError(t, pool.Close())
		})
	}
	numbers, err := idgen.New(idgen.Config{Node: idgen.FixedNode(node)})
	require.NoError(t, err)
	r := resolver(at)
	p.db, err = gorm.Open(e.fresh(t)(), &gorm.Config{Logger: p.log})
	require.NoError(t, err)
	plugin := tenancy.New(tenancy.Config{
		SQL: e.sql(), Shards: shards,
		Sharding: []tenancy.Sharding{
			{Models: []any{&Parcel{}, &ParcelItem{}}, Resolver: r, IDs: numbers},
			{Models: []any{&Letter{}, &Postcard{}}, Resolver: r, IDs: &idgen.UUIDv7Generator{}},
		},
	})
	require.NoError(t, p.db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	return p
}

func byHash(at []tenancy.Placement) tenancy.ShardResolver {
	return tenancy.Hash(64, tenancy.EvenSlots(64, at...)...)
}

// where returns the shard that has a row with an ID, which must be there once.
func (p *post) where(model, id any) int {
	p.Helper()
	found := -1
	for i, s := range p.shards {
		var n int64
		require.NoError(p, s.Model(model).Where("id = ?", id).Count(&n).Error)
		if n > 0 {
			require.Negative(p, found, "it is there twice")
			found = i
		}
	}
	require.NotEqual(p, -1, found, "it is not there")
	return found
}

func TestIDsAreFilledInAndFindTheirShard(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		p := newPost(t, e, 1, byHash)
		used := map[int]bool{}
		for i, city := range cities {
			parcel := Parcel{City: city, Weight: i, Items: []ParcelItem{{City: city}, {City: city}}}
			require.NoError(t, p.db.Create(&parcel).Error)
			require.NotZero(t, parcel.ID)
			at := p.where(&Parcel{}, parcel.ID)
			used[at] = true
			for _, item := range parcel.Items {
				require.NotZero(t, item.ID)
				require.Equal(t, parcel.ID, item.ParcelID)
				require.Equal(t, at, p.where(&ParcelItem{}, item.ID))
				var got ParcelItem
				require.NoError(t, p.db.First(&got, item.ID).Error)
				require.Equal(t, item, got)
			}
			letter, card := Letter{City: city}, Postcard{City: city}
			require.NoError(t, p.db.Create(&letter).Error)
			require.NoError(t, p.db.Create(&card).Error)
			require.Equal(t, at, p.where(&Letter{}, letter.ID))
			require.Equal(t, at, p.where(&Postcard{}, card.ID))

			var found Parcel
			require.NoError(t, p.db.First(&found, parcel.ID).Error)
			require.Equal(t, city, found.City)
			var foundLetter, byText, byModel Letter
			require.NoError(t, p.db.First(&foundLetter, "id = ?", letter.ID).Error)
			require.Equal(t, letter, foundLetter)
			require.NoError(t, p.db.First(&byText, "id = ?", letter.ID.String()).Error)
			byModel.ID = letter.ID
			require.NoError(t, p.db.First(&byModel).Error)
			require.Equal(t, letter, byModel)
			var foundCard Postcard
			require.NoError(t, p.db.First(&foundCard, "id = ?", card.ID).Error)
			require.Equal(t, card, foundCard)

			generic, err := gorm.G[Parcel](p.db).Where("id = ?", parcel.ID).First(t.Context())
			require.NoError(t, err)
			require.Equal(t, city, generic.City)
			tx := p.db.Model(&Parcel{}).Where("id = ?", parcel.ID).Update("weight", 100+i)
			require.NoError(t, tx.Error)
			require.EqualValues(t, 1, tx.RowsAffected)
			found.Weight = 200
			require.NoError(t, p.db.Save(&found).Error)
			require.NoError(t, p.db.First(&found, parcel.ID).Error)
			require.Equal(t, 200, found.Weight)
			tx = p.db.Select("Items").Delete(&Parcel{ID: parcel.ID, City: city})
			require.NoError(t, tx.Error)
			require.EqualValues(t, 1, tx.RowsAffected)
			require.ErrorIs(t, p.db.First(&Parcel{}, parcel.ID).Error, gorm.ErrRecordNotFound)
		}
		require.Len(t, used, 4)
	})
}

func TestIDsOfEveryFormOfCreate(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		p := newPost(t, e, 1, byHash)
		everywhere := p.db.WithContext(tenancy.OnAllShards(t.Context()))
		seen := map[int64]bool{}
		check := func(city string, id int64) {
			t.Helper()
			require.NotZero(t, id)
			require.False(t, seen[id])
			seen[id] = true
			var got Parcel
			require.NoError(t, p.db.First(&got, id).Error)
			require.Equal(t, city, got.City)
			require.NoError(t, p.db.First(&got, "city = ? AND id = ?", city, id).Error)
		}
		var batch []Parcel
		var pointers []*Parcel
		for _, city := range cities {
			batch, pointers = append(batch, Parcel{City: city}), append(pointers, &Parcel{City: city})
		}
		tx := everywhere.Create(&batch)
		require.NoError(t, tx.Error)
		require.EqualValues(t, len(cities), tx.RowsAffected)
		require.NoError(t, everywhere.Create(pointers).Error)
		for i, city := range cities {
			require.Equal(t, city, batch[i].City)
			check(city, batch[i].ID)
			check(city, pointers[i].ID)
		}

		one := Parcel{City: "cork"}
		require.NoError(t, p.db.Select("City").Create(&one).Error)
		check("cork", one.ID)
		one = Parcel{City: "cork", Weight: 3}
		require.NoError(t, p.db.Omit("Weight").Create(&one).Error)
		check("cork", one.ID)
		one = Parcel{City: "faro"}
		require.NoError(t, gorm.G[Parcel](p.db).Create(t.Context(), &one))
		check("faro", one.ID)
		one = Parcel{City: "halle"}
		require.NoError(t, p.db.Save(&one).Error)
		check("halle", one.ID)
		one = Parcel{}
		require.NoError(t, p.db.Where(Parcel{City: "ivrea", Weight: 77}).FirstOrCreate(&one).Error)
		check("ivrea", one.ID)
		id := one.ID
		one = Parcel{}
		require.NoError(t, p.db.Where(Parcel{City: "ivrea", Weight: 77}).FirstOrCreate(&one).Error)
		require.Equal(t, id, one.ID)

		values := map[string]any{"city": "jena"}
		require.NoError(t, p.db.Model(&Parcel{}).Create(values).Error)
		made, ok := values["id"].(int64)
		require.True(t, ok)
		check("jena", made)
		values = map[string]any{"City": "jena", "ID": int64(0)}
		require.NoError(t, p.db.Model(&Parcel{}).Create(values).Error)
		made, ok = values["ID"].(int64)
		require.True(t, ok)
		check("jena", made)
		maps := []map[string]any{{"city": "aarhus"}, {"city": "bergen"}, {"city": "cork"}}
		require.NoError(t, everywhere.Model(&Parcel{}).Create(&maps).Error)

		batch = nil
		for range 7 {
			batch = append(batch, Parcel{City: "delft"})
		}
		require.NoError(t, p.db.CreateInBatches(&batch, 3).Error)
		for i := range batch {
			check("delft", batch[i].ID)
		}
		upsert := []Parcel{{ID: batch[0].ID, City: "delft", Weight: 5}, {City: "delft", Weight: 5}}
		require.NoError(t, p.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&upsert).Error)
		check("delft", upsert[1].ID)

		letters := []Letter{{City: "cork"}, {City: "cork"}}
		require.NoError(t, p.db.Create(&letters).Error)
		require.NotEqual(t, letters[0].ID, letters[1].ID)
		require.EqualValues(t, 7, letters[0].ID.Version())
		require.ErrorIs(t, p.db.Create(Parcel{City: "cork"}).Error, tenancy.ErrMissingShardKey, "it cannot be given an ID")
	})
}

func TestIDsThatDoNotFit(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		p := newPost(t, e, 1, byHash)
		a, b := Parcel{City: "aarhus"}, Parcel{}
		require.NoError(t, p.db.Create(&a).Error)
		for _, city := range cities {
			b = Parcel{City: city}
			require.NoError(t, p.db.Create(&b).Error)
			if p.where(&Parcel{}, a.ID) != p.where(&Parcel{}, b.ID) {
				break
			}
		}
		for name, err := range map[string]error{
			"a row":               p.db.Create(&Parcel{ID: a.ID, City: b.City}).Error,
			"Save":                p.db.Save(&Parcel{ID: a.ID, City: b.City}).Error,
			"an upsert":           p.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Parcel{ID: a.ID, City: b.City}).Error,
			"a map":               p.db.Model(&Parcel{}).Create(map[string]any{"id": a.ID, "city": b.City}).Error,
			"raw SQL":             p.db.Exec("INSERT INTO parcels (id, city) VALUES (?, ?)", a.ID, b.City).Error,
			"an update of IDs":    p.db.Model(&Parcel{}).Where("id = ?", a.ID).Update("id", b.ID).Error,
			"a batch, everywhere": p.db.WithContext(tenancy.OnAllShards(t.Context())).Create(&[]Parcel{{ID: a.ID, City: b.City}, {City: a.City}}).Error,
		} {
			require.ErrorIs(t, err, tenancy.ErrCrossShard, name)
		}
		for name, id := range map[string]any{"0": 0, "small": 7, "below zero": -5, "text": "x"} {
			err := p.db.First(&Parcel{}, "id = ?", id).Error
			require.ErrorIs(t, err, tenancy.ErrMissingShardKey, name)
		}
		require.ErrorIs(t, p.db.First(&Letter{}, "id = ?", uuid.New()).Error, tenancy.ErrMissingShardKey)
		require.ErrorIs(t, p.db.First(&Postcard{}, "id = ?", "no UUID").Error, tenancy.ErrMissingShardKey)
		require.ErrorIs(t, p.db.First(&Parcel{}, "city = ? AND id = ?", b.City, a.ID).Error, gorm.ErrRecordNotFound)
		require.ErrorIs(t, p.db.Where("id = ? OR weight = ?", a.ID, 0).Find(&[]Parcel{}).Error, tenancy.ErrMissingShardKey)
		require.ErrorIs(t, p.db.Where("id > ?", a.ID-1).Find(&[]Parcel{}).Error, tenancy.ErrMissingShardKey)
		require.ErrorIs(t, p.db.Where("id IN ?", []int64{a.ID, b.ID}).Delete(&Parcel{}).Error, tenancy.ErrCrossShard)
		require.NoError(t, p.db.First(&Parcel{}, a.ID).Error)
		require.NoError(t, p.db.First(&Parcel{}, b.ID).Error)
	})
}

func TestIDsStayRightWhenSlotsMove(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		moved := false
		p := newPost(t, e, 1, func(at []tenancy.Placement) tenancy.ShardResolver {
			before := tenancy.Hash(64, tenancy.SlotRange{From: 0, To: 64, At: at[0]})
			after := tenancy.Hash(64, tenancy.SlotRange{From: 0, To: 32, At: at[0]}, tenancy.SlotRange{From: 32, To: 64, At: at[3]})
			return &switched{of: func() tenancy.ShardNumberer {
				resolver := before
				if moved {
					resolver = after
				}
				numbers, _ := resolver.(tenancy.ShardNumberer)
				return numbers
			}}
		})
		var parcels []Parcel
		for _, city := range cities {
			parcels = append(parcels, Parcel{City: city})
		}
		require.NoError(t, p.db.Create(&parcels).Error)
		moved = true
		went := 0
		for _, parcel := range parcels {
			var n int64
			require.NoError(t, p.db.Model(&Parcel{}).Where("city = ?", parcel.City).Count(&n).Error)
			if n == 0 { // the operator moves the rows
				require.NoError(t, p.shards[0].Delete(&parcel).Error)
				require.NoError(t, p.shards[3].Create(&parcel).Error)
				went++
			}
			var got Parcel
			require.NoError(t, p.db.First(&got, parcel.ID).Error)
			require.Equal(t, parcel.City, got.City)
			got.Weight = 9
			require.NoError(t, p.db.Save(&got).Error)
		}
		require.NotZero(t, went)
		require.Less(t, went, len(parcels))
	})
}

// switched is a resolver that is another one by and by.
type switched struct{ of func() tenancy.ShardNumberer }

func (s *switched) Resolve(ctx context.Context, key any) (tenancy.Placement, error) {
	return s.of().Resolve(ctx, key)
}

func (s *switched) ShardNumber(ctx context.Context, key any) (int, error) {
	return s.of().ShardNumber(ctx, key)
}

func (s *switched) PlacementOf(ctx context.Context, number int) (tenancy.Placement, error) {
	return s.of().PlacementOf(ctx, number)
}

func TestIDsOfNumberedPlacements(t *testing.T) {
	p := newPost(t, engines[0], 1, func(at []tenancy.Placement) tenancy.ShardResolver {
		m := map[string]tenancy.Placement{}
		for i, city := range cities {
			m[city] = at[i%4]
		}
		return tenancy.Numbered(tenancy.List(m), at[3], at[2], at[1], at[0])
	})
	for i, city := range cities {
		parcel := Parcel{City: city}
		require.NoError(t, p.db.Create(&parcel).Error)
		require.Equal(t, i%4, p.where(&Parcel{}, parcel.ID))
		parts, err := idgen.DefaultLayout().Shard(parcel.ID)
		require.NoError(t, err)
		require.Equal(t, 3-i%4, parts)
		require.NoError(t, p.db.First(&Parcel{}, parcel.ID).Error)
	}
	require.Error(t, p.db.Create(&Parcel{City: "oslo"}).Error)
}

func TestIDsOfTwoProcesses(t *testing.T) {
	a, b := newPost(t, engines[0], 1, byHash), newPost(t, engines[0], 2, byHash)
	var mu sync.Mutex
	var wait sync.WaitGroup
	seen := map[int64]bool{}
	for _, p := range []*post{a, b} {
		for range 4 {
			wait.Go(func() {
				for range 25 {
					batch := make([]Parcel, 20)
					for i := range batch {
						batch[i].City = cities[0]
					}
					if err := p.db.Session(&gorm.Session{DryRun: true}).Create(&batch).Error; err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for i := range batch {
						if seen[batch[i].ID] {
							t.Error("an ID was made twice")
						}
						seen[batch[i].ID] = true
					}
					mu.Unlock()
				}
			})
		}
	}
	wait.Wait()
	require.Len(t, seen, 4000)
}
