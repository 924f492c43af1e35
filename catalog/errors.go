package catalog

import "errors"

// What package tenancy has no sentinel for. Unknown tenants are [tenancy.ErrTenantNotFound], unknown shards
// [tenancy.ErrShardNotFound], and those that cannot be looked up [tenancy.ErrTenantUnavailable].
var (
	// ErrChanged means that the tenant was changed since it was read. Read it again, and decide again.
	ErrChanged = errors.New("catalog: the tenant has been changed in the meantime")
	// ErrIllegalState means that the tenant's state does not allow the change. See [State].
	ErrIllegalState = errors.New("catalog: not in this state")
	// ErrShardExists means that there is a shard of this name. Use [Catalog.UpdateShard].
	ErrShardExists = errors.New("catalog: shard exists")
	// ErrShardInUse means that there are tenants in the shard, or beside it.
	ErrShardInUse = errors.New("catalog: shard in use")
)
