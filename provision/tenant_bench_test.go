package provision_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/provision"
)

// Thing is what each of thirty tables has.
type Thing struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
	Name     string `gorm:"size:100;index"`
	ParentID *uint
	Amount   int64
	Note     string
}

type (
	Thing00 struct{ Thing }
	Thing01 struct {
		Thing
		Parent *Thing00
	}
	Thing02 struct {
		Thing
		Parent *Thing01
	}
	Thing03 struct{ Thing }
	Thing04 struct {
		Thing
		Parent *Thing03
	}
	Thing05 struct {
		Thing
		Parent *Thing04
	}
	Thing06 struct{ Thing }
	Thing07 struct {
		Thing
		Parent *Thing06
	}
	Thing08 struct {
		Thing
		Parent *Thing07
	}
	Thing09 struct{ Thing }
	Thing10 struct {
		Thing
		Parent *Thing09
	}
	Thing11 struct {
		Thing
		Parent *Thing10
	}
	Thing12 struct{ Thing }
	Thing13 struct {
		Thing
		Parent *Thing12
	}
	Thing14 struct {
		Thing
		Parent *Thing13
	}
	Thing15 struct{ Thing }
	Thing16 struct {
		Thing
		Parent *Thing15
	}
	Thing17 struct {
		Thing
		Parent *Thing16
	}
	Thing18 struct{ Thing }
	Thing19 struct {
		Thing
		Parent *Thing18
	}
	Thing20 struct {
		Thing
		Parent *Thing19
	}
	Thing21 struct{ Thing }
	Thing22 struct {
		Thing
		Parent *Thing21
	}
	Thing23 struct {
		Thing
		Parent *Thing22
	}
	Thing24 struct{ Thing }
	Thing25 struct {
		Thing
		Parent *Thing24
	}
	Thing26 struct {
		Thing
		Parent *Thing25
	}
	Thing27 struct{ Thing }
	Thing28 struct {
		Thing
		Parent *Thing27
	}
	Thing29 struct {
		Thing
		Parent *Thing28
	}
)

func thirty() []any {
	return []any{
		&Thing00{}, &Thing01{}, &Thing02{}, &Thing03{}, &Thing04{}, &Thing05{},
		&Thing06{}, &Thing07{}, &Thing08{}, &Thing09{}, &Thing10{}, &Thing11{},
		&Thing12{}, &Thing13{}, &Thing14{}, &Thing15{}, &Thing16{}, &Thing17{},
		&Thing18{}, &Thing19{}, &Thing20{}, &Thing21{}, &Thing22{}, &Thing23{},
		&Thing24{}, &Thing25{}, &Thing26{}, &Thing27{}, &Thing28{}, &Thing29{},
	}
}

// BenchmarkCreate makes tenants with thirty tables, and drops none.
func BenchmarkCreate(b *testing.B) {
	for _, e := range kinds {
		for _, shape := range e.shapes {
			b.Run(fmt.Sprint(e.name, "/", shape), func(b *testing.B) {
				w := newWorld(b, e, shape, func(c *provision.Config, tc *tenancy.Config) {
					c.Models, tc.Models, c.Reference = thirty(), thirty(), nil
					c.Observer = nil
				})
				_, err := w.create(b.Context(), "first")
				require.NoError(b, err)
				n := 0
				for b.Loop() {
					n++
					_, err := w.create(b.Context(), tenancy.ID(fmt.Sprint("t", n)))
					require.NoError(b, err)
				}
			})
		}
	}
}

// BenchmarkCreateSteps shows where the time goes.
func BenchmarkCreateSteps(b *testing.B) {
	for _, e := range kinds {
		for _, shape := range e.shapes {
			b.Run(fmt.Sprint(e.name, "/", shape), func(b *testing.B) {
				took := map[provision.Step]float64{}
				w := newWorld(b, e, shape, func(c *provision.Config, tc *tenancy.Config) {
					c.Models, tc.Models, c.Reference = thirty(), thirty(), nil
				})
				w.steps.after = func(e provision.StepEvent) { took[e.Step] += float64(e.Took.Microseconds()) / 1000 }
				n := 0
				for b.Loop() {
					n++
					_, err := w.create(b.Context(), tenancy.ID(fmt.Sprint("t", n)))
					require.NoError(b, err)
				}
				for step, ms := range took {
					b.ReportMetric(ms/float64(n), "ms:"+strings.ReplaceAll(string(step), " ", "_"))
				}
			})
		}
	}
}

// BenchmarkCreateFromTemplate copies a database of PostgreSQL that has the tables.
func BenchmarkCreateFromTemplate(b *testing.B) {
	w := newTemplated(b, thirty())
	n := 0
	for b.Loop() {
		n++
		_, err := w.create(b.Context(), tenancy.ID(fmt.Sprint("t", n)))
		require.NoError(b, err)
	}
}
