package difftest

import (
	"reflect"
	"time"

	"gorm.io/gorm"
)

// Country is the same for all tenants.
type Country struct {
	ID   uint
	Name string `gorm:"size:64"`
}

// Customer is the parent: it has every kind of relation.
type Customer struct {
	ID         uint
	TenantID   string `gorm:"size:32;uniqueIndex:customer_code,priority:1" tenancy:"tenant"`
	Code       string `gorm:"size:32;uniqueIndex:customer_code,priority:2"`
	Name       string `gorm:"size:64"`
	Score      int
	CountryID  *uint
	Country    *Country
	ReferrerID *uint
	Referrer   *Customer
	Referrals  []Customer `gorm:"foreignKey:ReferrerID"`
	Profile    *Profile
	Orders     []Order
	Tags       []Tag  `gorm:"many2many:customer_tags"`
	Notes      []Note `gorm:"polymorphic:Owner"`
	UpdatedAt  time.Time
}

// Order is a child with soft delete.
type Order struct {
	ID         uint
	TenantID   string `gorm:"size:32;index" tenancy:"tenant"`
	CustomerID *uint
	Customer   *Customer
	Item       string `gorm:"size:64"`
	Qty        int
	Notes      []Note `gorm:"polymorphic:Owner"`
	DeletedAt  gorm.DeletedAt
}

// AfterCreate writes through the transaction of the create.
func (o *Order) AfterCreate(tx *gorm.DB) error {
	if o.Qty != 5 {
		return nil
	}
	return tx.Create(&Note{OwnerID: o.ID, OwnerType: "orders", Body: "five"}).Error
}

// Profile is what a customer has one of.
type Profile struct {
	ID         uint
	TenantID   string `gorm:"size:32" tenancy:"tenant"`
	CustomerID *uint
	Customer   *Customer
	Bio        string `gorm:"size:64"`
}

// Tag is the other end of a many2many relation.
type Tag struct {
	ID        uint
	TenantID  string     `gorm:"size:32;uniqueIndex:tag_label,priority:1" tenancy:"tenant"`
	Label     string     `gorm:"size:32;uniqueIndex:tag_label,priority:2"`
	Customers []Customer `gorm:"many2many:customer_tags"`
}

// Note belongs to a customer or an order.
type Note struct {
	ID        uint
	TenantID  string `gorm:"size:32" tenancy:"tenant"`
	OwnerID   uint
	OwnerType string `gorm:"size:32"`
	Body      string `gorm:"size:64"`
}

// Setting has the tenant in its primary key, and keys that are equal for all tenants.
type Setting struct {
	TenantID string `gorm:"size:32;primaryKey" tenancy:"tenant"`
	Name     string `gorm:"size:32;primaryKey"`
	Value    int
}

// kind says which values a column takes.
type kind int

const (
	number kind = iota
	text
	key // of the model itself
	foreign
)

type column struct {
	name, field string
	kind        kind
	to          string // table, of a foreign key
}

// link is a column whose values are found in a column of another table, for subqueries.
type link struct{ column, table, other string }

// model is what the generator knows of a model.
type model struct {
	table    string
	typ      reflect.Type
	columns  []column // the first is the primary key, without the tenant
	joins    []string
	preloads []string
	links    []link
	ids      int // rows of each tenant in the fixture; 0: the key is a name
}

func (m *model) new() any      { return reflect.New(m.typ).Interface() }
func (m *model) newSlice() any { return reflect.New(reflect.SliceOf(m.typ)).Interface() }
func (m *model) name() string  { return m.typ.Name() }
func (m *model) pk() string    { return m.columns[0].name }

// data are the columns that are not keys.
func (m *model) data() []column {
	var out []column
	for _, c := range m.columns[1:] {
		if c.kind != foreign {
			out = append(out, c)
		}
	}
	return out
}

func models() []*model {
	return []*model{
		{
			table: "customers", typ: reflect.TypeFor[Customer](), ids: 4,
			columns: []column{
				{"id", "ID", key, ""},
				{"name", "Name", text, ""},
				{"score", "Score", number, ""},
				{"code", "Code", text, ""},
				{"referrer_id", "ReferrerID", foreign, "customers"},
				{"country_id", "CountryID", foreign, "countries"},
			},
			joins:    []string{"Profile", "Country", "Referrer", "Referrer.Profile", "Referrer.Country", "Referrer.Referrer"},
			preloads: []string{"Orders", "Tags", "Profile", "Notes", "Country", "Referrer", "Referrals", "Orders.Notes", "Referrer.Orders", "Tags.Customers", "Referrals.Profile", "Orders.Customer.Tags"},
			links: []link{
				{"id", "orders", "customer_id"},
				{"id", "profiles", "customer_id"},
				{"id", "notes", "owner_id"},
				{"referrer_id", "customers", "id"},
				{"country_id", "countries", "id"},
				{"id", "customer_tags", "customer_id"},
			},
		},
		{
			table: "orders", typ: reflect.TypeFor[Order](), ids: 6,
			columns: []column{
				{"id", "ID", key, ""}, {"qty", "Qty", number, ""}, {"item", "Item", text, ""}, {"customer_id", "CustomerID", foreign, "customers"},
			},
			joins:    []string{"Customer", "Customer.Profile", "Customer.Country", "Customer.Referrer"},
			preloads: []string{"Customer", "Notes", "Customer.Tags", "Customer.Profile", "Customer.Orders"},
			links:    []link{{"customer_id", "customers", "id"}, {"id", "notes", "owner_id"}, {"customer_id", "profiles", "customer_id"}},
		},
		{
			table: "tags", typ: reflect.TypeFor[Tag](), ids: 3,
			columns:  []column{{"id", "ID", key, ""}, {"label", "Label", text, ""}},
			preloads: []string{"Customers", "Customers.Orders"},
			links:    []link{{"id", "customer_tags", "tag_id"}},
		},
		{
			table: "profiles", typ: reflect.TypeFor[Profile](), ids: 3,
			columns:  []column{{"id", "ID", key, ""}, {"bio", "Bio", text, ""}, {"customer_id", "CustomerID", foreign, "customers"}},
			joins:    []string{"Customer", "Customer.Country"},
			preloads: []string{"Customer", "Customer.Orders"},
			links:    []link{{"customer_id", "customers", "id"}, {"customer_id", "orders", "customer_id"}},
		},
		{
			table: "notes", typ: reflect.TypeFor[Note](), ids: 4,
			columns: []column{{"id", "ID", key, ""}, {"body", "Body", text, ""}, {"owner_id", "OwnerID", foreign, "customers"}, {"owner_type", "OwnerType", text, ""}},
			links:   []link{{"owner_id", "orders", "id"}, {"owner_id", "customers", "id"}},
		},
		{
			table: "settings", typ: reflect.TypeFor[Setting](),
			columns: []column{{"name", "Name", text, ""}, {"value", "Value", number, ""}},
		},
	}
}

// dto takes what a query selects.
type dto struct {
	ID    uint
	Name  string
	Score int
	Qty   int
	N     int64
}
