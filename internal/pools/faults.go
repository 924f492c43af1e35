package pools

import (
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// Faults returns all that is wrong with what [New] would be given; each error is Errors.InvalidConfig. It opens nothing.
func Faults(o Options, known []Spec) []error {
	var faults []error
	wrong := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{o.Errors.InvalidConfig}, args...)...))
	}
	for _, limit := range []struct {
		name     string
		negative bool
	}{
		{"Databases", o.Databases < 0},
		{"Connections", o.Connections < 0},
		{"Total", o.Total < 0},
		{"IdleTime", o.IdleTime < 0},
		{"Wait", o.Wait < 0},
	} {
		if limit.negative {
			wrong("%s is negative", limit.name)
		}
	}
	o.Limits = o.withDefaults()
	names := make(map[string]bool, len(known))
	for _, spec := range known {
		if names[spec.Name] {
			wrong("two shards have the name %q", spec.Name)
		}
		names[spec.Name] = true
		if err := o.fault(spec); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

// fault returns all that is wrong with spec as one error, or nil.
func (o Options) fault(spec Spec) error {
	var faults []error
	wrong := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: shard %q: "+format, append([]any{o.Errors.InvalidConfig, spec.Name}, args...)...))
	}
	dialect := func(what string, d gorm.Dialector) {
		if d == nil {
			wrong("%s is nil", what)
		} else if name := d.Name(); name != o.Dialect {
			wrong("the dialect of %s is %q, not %q", what, name, o.Dialect)
		}
	}
	switch {
	case spec.Name != "":
		dialect("Primary", spec.Primary)
	case spec.Primary != nil:
		wrong("Primary is the database that gorm.Open opened, so it must be nil")
	}
	for i, d := range spec.Replicas {
		dialect(fmt.Sprintf("Replicas[%d]", i), d)
	}
	if spec.Admin != nil {
		dialect("Admin", spec.Admin)
	}
	switch {
	case spec.MaxLag < 0:
		wrong("MaxLag is negative")
	case spec.MaxLag > 0 && o.Dialect != "postgres" && o.Dialect != "mysql":
		wrong("MaxLag is not for the dialect %q", o.Dialect)
	}
	if need := spec.pools() * o.Connections; spec.Name != "" && o.Total > 0 && need > o.Total {
		wrong("it reserves %d connections, more than Total, which is %d", need, o.Total)
	}
	return errors.Join(faults...)
}
