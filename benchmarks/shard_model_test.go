package benchmarks

import "time"

// account is the shard key of the rows that statements on sharded tables use.
const account int64 = 4711

// Order is in the database of its account. It has the columns of Invoice, but for its key.
type Order struct {
	ID        uint
	AccountID int64 `gorm:"index" tenancy:"shard_key"`
	Number    string
	Status    string
	Cents     int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Shipment is an Order whose ID says in which database it is.
type Shipment struct {
	ID        int64 `gorm:"primaryKey;autoIncrement:false"`
	AccountID int64 `gorm:"index" tenancy:"shard_key"`
	Number    string
	Status    string
	Cents     int64
	CreatedAt time.Time
	UpdatedAt time.Time
}
