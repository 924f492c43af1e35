package main

// Order is on the shard of its customer.
type Order struct {
	ID         int64 `gorm:"uniqueIndex:orders_of_customer,priority:2"` // made by Sharding.IDs
	CustomerID int64 `gorm:"uniqueIndex:orders_of_customer,priority:1" tenancy:"shard_key"`
	Country    string
	Cents      int64
	// The foreign key has the shard key in it, so that the lines are found where the order is.
	Lines []Line `gorm:"foreignKey:CustomerID,OrderID;references:CustomerID,ID"`
}

// Line is where its order is.
type Line struct {
	ID         int64
	CustomerID int64 `tenancy:"shard_key"`
	OrderID    int64
	Product    string
}
