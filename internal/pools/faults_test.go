package pools_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/pools"
)

// All that is wrong is said at once, and names the shard.
func TestFaults(t *testing.T) {
	t.Parallel()
	good := &stub{dialect: "postgres", server: new(server)}
	bad := &stub{dialect: "other"}
	for text, c := range map[string]struct {
		limits  pools.Limits
		dialect string
		known   []pools.Spec
	}{
		"Databases is negative":                  {limits: pools.Limits{Databases: -1}},
		"Connections is negative":                {limits: pools.Limits{Connections: -1}},
		"Total is negative":                      {limits: pools.Limits{Total: -1}},
		"IdleTime is negative":                   {limits: pools.Limits{IdleTime: -1}},
		"Wait is negative":                       {limits: pools.Limits{Wait: -1}},
		`two shards have the name "a"`:           {known: []pools.Spec{{Name: "a", Primary: good}, {Name: "a", Primary: good}}},
		`shard "a": Primary is nil`:              {known: []pools.Spec{{Name: "a"}}},
		`the dialect of Primary is "other", not`: {known: []pools.Spec{{Name: "a", Primary: bad}}},
		`not "postgres"`:                         {known: []pools.Spec{{Name: "a", Primary: good, Replicas: []gorm.Dialector{good, bad}}}},
		"Replicas[1] is nil":                     {known: []pools.Spec{{Name: "a", Primary: good, Replicas: []gorm.Dialector{good, nil}}}},
		"the dialect of Admin":                   {known: []pools.Spec{{Name: "a", Primary: good, Admin: bad}}},
		"the database that gorm.Open opened":     {known: []pools.Spec{{Primary: good}}},
		"MaxLag is negative":                     {known: []pools.Spec{{Name: "a", Primary: good, MaxLag: -1}}},
		`MaxLag is not for the dialect "sqlite"`: {dialect: "sqlite", known: []pools.Spec{{MaxLag: time.Second}}},
		"it reserves 30 connections, more than Total, which is 29": {
			limits: pools.Limits{Total: 29}, known: []pools.Spec{{Name: "a", Primary: good, Admin: good, Replicas: []gorm.Dialector{good}}},
		},
	} {
		if c.dialect == "" {
			c.dialect = "postgres"
		}
		faults := pools.Faults(pools.Options{Dialect: c.dialect, Limits: c.limits, Errors: sentinels()}, c.known)
		require.Len(t, faults, 1, text)
		require.ErrorIs(t, faults[0], errInvalid)
		require.ErrorContains(t, faults[0], text)
	}
	faults := pools.Faults(pools.Options{Dialect: "postgres", Limits: pools.Limits{Wait: -1}, Errors: sentinels()}, []pools.Spec{{Name: "a"}, {Name: "b", Admin: bad}})
	require.Len(t, faults, 3)
	require.ErrorContains(t, faults[2], "Primary is nil")
	require.ErrorContains(t, faults[2], "Admin")
	require.Empty(t, pools.Faults(pools.Options{Dialect: "postgres"}, []pools.Spec{
		{Replicas: []gorm.Dialector{good}, Admin: good, MaxLag: time.Second}, {Name: "a", Primary: good, MaxLag: time.Second},
	}))
}
