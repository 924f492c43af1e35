package benchmarks

import "time"

const tenant = "acme"

// Invoice belongs to a tenant. It has no associations, whose foreign keys the plugin would look up: plain GORM does
// nothing of the kind, so there would be nothing to compare.
type Invoice struct {
	ID        uint
	TenantID  string `gorm:"index" tenancy:"tenant"`
	Number    string
	Status    string
	Cents     int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Rate belongs to nobody. But for the tenant it has the columns of Invoice.
type Rate struct {
	ID        uint
	Number    string
	Status    string
	Cents     int64
	CreatedAt time.Time
	UpdatedAt time.Time
}
