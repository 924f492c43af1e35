package tables

import (
	"context"
	"database/sql/driver"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm/schema"
)

type tenantName string

type loud string

func (l loud) Value() (driver.Value, error) { return string(l) + "!", nil }

type owner struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Pets     []pet
	Clubs    []club `gorm:"many2many:owner_clubs"`
	Notes    []note `gorm:"polymorphic:About"`
}

type pet struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	OwnerID  uint
	Owner    *owner
}

type club struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
}

type note struct {
	ID        uint
	TenantID  string `tenancy:"tenant"`
	AboutID   uint
	AboutType string
}

type country struct{ ID uint }

// pair has its tenant in its key, and so have what points at it.
type pair struct {
	TenantID string `gorm:"primaryKey" tenancy:"tenant"`
	ID       uint   `gorm:"primaryKey"`
	Halves   []half `gorm:"foreignKey:TenantID,PairID;references:TenantID,ID"`
}

type half struct {
	TenantID string `gorm:"primaryKey" tenancy:"tenant"`
	ID       uint   `gorm:"primaryKey"`
	PairID   uint
}

func newRegistry() *Registry {
	var cache sync.Map
	return NewRegistry(func(model any) (*schema.Schema, error) {
		return schema.Parse(model, &cache, schema.NamingStrategy{IdentifierMaxLength: 64})
	})
}

func find(t *testing.T, r *Registry, name string) *Table {
	t.Helper()
	found, err := r.Find(nil, name)
	require.NoError(t, err)
	return found
}

func TestDeclareClassifies(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	require.Empty(t, r.Declare([]any{&owner{}, pet{}, []club{}, Declared{Name: "sales", TenantColumn: "who"}}, []any{country{}}, []any{Declared{Name: "units"}}, nil))
	for name, class := range map[string]Class{
		"owners": Owned, "OWNERS": Owned, "main.owners": Owned, `"owners"`: Owned, "pets": Owned, "clubs": Owned, "notes": Owned,
		"owner_clubs": Link, "countries": Global, "units": Reference, "sales": Owned, "other": Unlisted,
	} {
		require.Equal(t, class, find(t, r, name).Class, name)
	}
	require.True(t, r.Confining())
	require.False(t, newRegistry().Confining())
}

func TestForeignKeys(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	require.Empty(t, r.Declare([]any{owner{}, pet{}, pair{}, half{}}, nil, nil, nil))

	keys := r.ForeignKeys(find(t, r, "pets"))
	require.Len(t, keys, 1, "belongs-to and has-many say the same")
	require.Equal(t, "owners", keys[0].Parent.Name)
	require.Equal(t, []string{"owner_id"}, keys[0].Columns)
	require.Equal(t, []string{"id"}, keys[0].Keys)

	notes := r.ForeignKeys(find(t, r, "notes"))
	require.Len(t, notes, 1)
	require.Equal(t, "about_type", notes[0].TypeColumn)
	require.Equal(t, "owners", notes[0].TypeValue)

	require.Len(t, r.ForeignKeys(find(t, r, "owner_clubs")), 2)
	require.Empty(t, r.ForeignKeys(find(t, r, "owners")))

	halves := r.ForeignKeys(find(t, r, "halves"))
	require.Len(t, halves, 1)
	require.Equal(t, "tenant_id", halves[0].Carries)
}

func TestDeclareReportsAllFaults(t *testing.T) {
	t.Parallel()
	type twice struct {
		ID uint
		A  string `tenancy:"tenant"`
		B  string `tenancy:"tenant"`
	}
	type readOnly struct {
		ID uint
		A  string `tenancy:"tenant" gorm:"->"`
	}
	type noColumn struct {
		ID uint
		A  string `tenancy:"tenant" gorm:"-"`
	}
	type float struct {
		ID uint
		A  float64 `tenancy:"tenant"`
	}
	type misspelt struct {
		ID uint
		A  string `tenancy:"tennant"`
	}
	type sharded struct {
		ID uint
		A  string `tenancy:"shard_key"`
	}
	type rawBytes struct {
		ID uint
		A  [16]byte `tenancy:"tenant" gorm:"type:bytes"`
	}
	faults := newRegistry().Declare(
		[]any{twice{}, readOnly{}, noColumn{}, float{}, misspelt{}, sharded{}, 7, nil, Declared{}, country{}},
		[]any{owner{}, country{}},
		[]any{Declared{Name: "x", TenantColumn: "y"}}, nil,
	)
	require.Len(t, faults, 12, "%v", faults)
	require.NotEmpty(t, newRegistry().Declare([]any{rawBytes{}}, nil, nil, nil))
}

func TestModelsMetLater(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	require.False(t, r.Confining())
	s, err := r.parse(&pet{})
	require.NoError(t, err)
	found, err := r.Find(s, "pets")
	require.NoError(t, err)
	require.Equal(t, Owned, found.Class)
	require.Equal(t, Owned, find(t, r, "owners").Class, "the other end of a relation is met too")
	require.True(t, r.Confining())

	renamed, err := r.Find(s, "pets_2024")
	require.NoError(t, err)
	require.Equal(t, Owned, renamed.Class, "the model's tags hold under another table name")
}

func TestRegistryIsConcurrent(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for _, model := range []any{&owner{}, &pet{}, &club{}, &note{}, &country{}, &pair{}} {
				s, err := r.parse(model)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := r.Find(s, s.Table); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, Link, find(t, r, "owner_clubs").Class)
}

func TestColumnValue(t *testing.T) {
	t.Parallel()
	type model struct {
		Text    string
		Short   string     `gorm:"size:3"`
		Named   tenantName `gorm:"size:63"`
		Pointer *string
		Loud    loud
		Int     int64
		Small   int8
		Uint    uint32
		UUID    uuid.UUID
		UUIDTxt string `gorm:"type:uuid"`
		IntTxt  string `gorm:"type:bigint"`
	}
	r := newRegistry()
	s, err := r.parse(&model{})
	require.NoError(t, err)
	const id = "3f2a8f0e-6c1b-4a41-9c3c-0b8b6f6a2d11"
	for _, c := range []struct {
		field, id string
		want      any // nil: refused
	}{
		{"Text", "Ácme", "Ácme"},
		{"Short", "abc", "abc"},
		{"Short", "abcd", nil},
		{"Short", "äöü", "äöü"},
		{"Named", "a", "a"},
		{"Pointer", "a", "a"},
		{"Loud", "a", loud("a")},
		{"Int", "7", int64(7)},
		{"Int", "-7", int64(-7)},
		{"Int", "007", nil},
		{"Int", "+7", nil},
		{"Int", "7 ", nil},
		{"Int", "0", nil},
		{"Int", "-0", nil},
		{"Int", "a", nil},
		{"Int", "9223372036854775808", nil},
		{"Small", "127", int64(127)},
		{"Small", "128", nil},
		{"Uint", "7", uint64(7)},
		{"Uint", "-7", nil},
		{"Uint", "4294967296", nil},
		{"Uint", "0", nil},
		{"UUID", id, uuid.MustParse(id)},
		{"UUID", "3F2A8F0E-6C1B-4A41-9C3C-0B8B6F6A2D11", nil},
		{"UUID", "{" + id + "}", nil},
		{"UUID", "00000000-0000-0000-0000-000000000000", nil},
		{"UUIDTxt", id, id},
		{"UUIDTxt", "x", nil},
		{"IntTxt", "7", "7"},
		{"IntTxt", "07", nil},
	} {
		column, err := newColumn(s.LookUpField(c.field))
		require.NoError(t, err, c.field)
		got, err := column.Value(context.Background(), c.id, c.id)
		if c.want == nil {
			require.Error(t, err, "%s %q", c.field, c.id)
			continue
		}
		require.NoError(t, err, "%s %q", c.field, c.id)
		require.Equal(t, c.want, got)
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		compares Comparison
		id       string
		fits     bool
	}{
		{Exact, "Acme GmbH ", true},
		{Padded, "Acme GmbH", true},
		{Padded, "Acme ", false},
		{Folding, "acme-1_x.y:z", true},
		{Folding, "Acme", false},
		{Folding, "ä", false},
		{Folding, "a b", false},
		{Numeric, "7", true},
		{Numeric, "07", false},
		{Numeric, "7x", false},
		{Numeric, "0", false},
		{UUIDs, "3f2a8f0e-6c1b-4a41-9c3c-0b8b6f6a2d11", true},
		{UUIDs, "acme", false},
		{Mingling, "12-3", true},
		{Mingling, "julia", false},
		{Unanswered, "acme", true},
		{Unanswered, "Acme", false},
		{Unasked, "acme", true},
		{Unasked, "Acme", false},
	} {
		column := &Column{Name: "tenant_id"}
		column.SetComparison("", c.compares)
		require.Equal(t, c.fits, column.Fits("", c.id) == nil, "%v %q", c.compares, c.id)
		require.Equal(t, c.compares == Unasked || c.compares == Unanswered && c.id != "acme", column.MustAsk("", c.id))
	}
}

func TestSpell(t *testing.T) {
	t.Parallel()
	text, id := "a", uuid.New()
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, ""},
		{"", ""},
		{"a", "a"},
		{[]byte("a"), "a"},
		{tenantName("a"), "a"},
		{&text, "a"},
		{(*string)(nil), ""},
		{7, "7"},
		{int8(7), "7"},
		{uint16(7), "7"},
		{int64(0), ""},
		{uint(0), ""},
		{id, id.String()},
		{&id, id.String()},
		{uuid.UUID{}, ""},
		{loud("a"), "a!"},
	} {
		got, err := Spell(c.value)
		require.NoError(t, err, "%v", c.value)
		require.Equal(t, c.want, got, "%v", c.value)
	}
	for _, v := range []any{struct{}{}, []int{1}, map[string]int{}, 1.5} {
		_, err := Spell(v)
		require.Error(t, err)
	}
}
