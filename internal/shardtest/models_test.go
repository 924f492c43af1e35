package shardtest

import (
	"reflect"
	"time"

	"gorm.io/gorm"
)

// Order is sharded by its customer, a number or a text.
type Order[K int64 | string] struct {
	ID         int64 `gorm:"primaryKey;autoIncrement:false"`
	Customer   K     `tenancy:"shard_key"`
	Qty        int
	Stock      *int64
	Name       *string
	Code       string
	Loose      *string
	Price      *string
	Weight     *float64
	Active     *bool
	Placed     *time.Time
	Raw        []byte
	Ref        *string
	CategoryID *int64
	Category   *Category
	Lines      []Line[K] `gorm:"foreignKey:Customer,OrderID;references:Customer,ID"`
	DeletedAt  gorm.DeletedAt
}

// TableName implements schema.Tabler.
func (Order[K]) TableName() string { return prefixOf[K]() + "orders" }

// Line is where its order is.
type Line[K int64 | string] struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Customer K     `tenancy:"shard_key"`
	OrderID  int64
	Amount   *int
	Note     *string
}

// TableName implements schema.Tabler.
func (Line[K]) TableName() string { return prefixOf[K]() + "lines" }

// Profile is joined to orders by their key alone.
type Profile[K int64 | string] struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Customer K     `tenancy:"shard_key"`
	Tier     *string
	Score    *int
}

// TableName implements schema.Tabler.
func (Profile[K]) TableName() string { return prefixOf[K]() + "profiles" }

func prefixOf[K int64 | string]() string {
	var key K
	if _, text := any(key).(string); text {
		return "s_"
	}
	return "i_"
}

// TenantOrder has a tenant, and a shard key.
type TenantOrder struct {
	ID         int64 `gorm:"primaryKey;autoIncrement:false"`
	Customer   int64 `tenancy:"shard_key"`
	Qty        int
	Stock      *int64
	Name       *string
	Code       string
	Loose      *string
	Price      *string
	Weight     *float64
	Active     *bool
	Placed     *time.Time
	Raw        []byte
	Ref        *string
	CategoryID *int64
	Category   *Category
	Lines      []TenantLine `gorm:"foreignKey:TenantID,Customer,OrderID;references:TenantID,Customer,ID"`
	DeletedAt  gorm.DeletedAt
	TenantID   string `tenancy:"tenant"`
}

// TableName implements schema.Tabler.
func (TenantOrder) TableName() string { return "t_orders" }

// TenantLine is where its order is.
type TenantLine struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Customer int64 `tenancy:"shard_key"`
	OrderID  int64
	Amount   *int
	Note     *string
	TenantID string `tenancy:"tenant"`
}

// TableName implements schema.Tabler.
func (TenantLine) TableName() string { return "t_lines" }

// TenantProfile is joined to orders by their key alone.
type TenantProfile struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Customer int64 `tenancy:"shard_key"`
	Tier     *string
	Score    *int
	TenantID string `tenancy:"tenant"`
}

// TableName implements schema.Tabler.
func (TenantProfile) TableName() string { return "t_profiles" }

// Event is sharded in a way of its own.
type Event struct {
	ID     int64  `gorm:"primaryKey;autoIncrement:false"`
	Device string `tenancy:"shard_key"`
	Kind   *string
	Value  *int
}

// Category is the same in all databases.
type Category struct {
	ID    int64 `gorm:"primaryKey;autoIncrement:false"`
	Title *string
	Grade int
}

// kind is how the values of a column are made and compared.
type kind int

const (
	integer kind = iota
	text
	decimal
	float
	boolean
	moment
	bytes
	uuid
	numberKey
	textKey
)

// column is a column of a table. In order, two of its texts may be equal that have different bytes if it is loose.
type column struct {
	name, field string
	kind        kind
	null, loose bool
}

// table is a table, and the model of its rows.
type table struct {
	name    string
	row     reflect.Type
	columns []column
	tenant  bool
	second  bool // of the second set of sharded models
	same    bool // a reference table
	generic generic
}

func (t *table) new() any      { return reflect.New(t.row).Interface() }
func (t *table) newSlice() any { return reflect.New(reflect.SliceOf(t.row)).Interface() }

func (t *table) column(name string) column {
	for _, c := range t.columns {
		if c.name == name {
			return c
		}
	}
	return column{name: name}
}

// family is the models of a layout.
type family struct {
	orders, lines, profiles, events, categories *table
}

func (f *family) all() []*table {
	var all []*table
	for _, t := range []*table{f.orders, f.lines, f.profiles, f.events, f.categories} {
		if t != nil {
			all = append(all, t)
		}
	}
	return all
}

func numberFamily() *family {
	return newFamily("i_", numberKey, tableOf[Order[int64]](), tableOf[Line[int64]](), tableOf[Profile[int64]]())
}

func textFamily() *family {
	return newFamily("s_", textKey, tableOf[Order[string]](), tableOf[Line[string]](), tableOf[Profile[string]]())
}

func tenantFamily() *family {
	f := newFamily("t_", numberKey, tableOf[TenantOrder](), tableOf[TenantLine](), tableOf[TenantProfile]())
	for _, t := range []*table{f.orders, f.lines, f.profiles} {
		t.tenant = true
	}
	return f
}

func tableOf[T any]() *table {
	t := &table{row: reflect.TypeFor[T]()}
	t.generic = genericOf[T](t)
	return t
}

// has names a table and its columns.
func (t *table) has(name string, columns ...column) *table {
	t.name, t.columns = name, columns
	return t
}

func newFamily(prefix string, key kind, orders, lines, profiles *table) *family {
	id, customer := column{"id", "ID", integer, false, false}, column{"customer", "Customer", key, false, false}
	events, categories := tableOf[Event](), tableOf[Category]()
	events.second, categories.same = true, true
	return &family{
		orders: orders.has(prefix+"orders",
			id, customer,
			column{"qty", "Qty", integer, false, false},
			column{"stock", "Stock", integer, true, false},
			column{"name", "Name", text, true, true},
			column{"code", "Code", text, false, false},
			column{"loose", "Loose", text, true, true},
			column{"price", "Price", decimal, true, false},
			column{"weight", "Weight", float, true, false},
			column{"active", "Active", boolean, true, false},
			column{"placed", "Placed", moment, true, false},
			column{"raw", "Raw", bytes, true, false},
			column{"ref", "Ref", uuid, true, false},
			column{"category_id", "CategoryID", integer, true, false},
		),
		lines: lines.has(prefix+"lines",
			id, customer,
			column{"order_id", "OrderID", integer, false, false},
			column{"amount", "Amount", integer, true, false},
			column{"note", "Note", text, true, true},
		),
		profiles: profiles.has(prefix+"profiles",
			id, customer,
			column{"tier", "Tier", text, true, true},
			column{"score", "Score", integer, true, false},
		),
		events: events.has("events",
			id,
			column{"device", "Device", textKey, false, false},
			column{"kind", "Kind", text, true, true},
			column{"value", "Value", integer, true, false},
		),
		categories: categories.has("categories",
			id,
			column{"title", "Title", text, true, true},
			column{"grade", "Grade", integer, false, false},
		),
	}
}
