package fanout_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }
