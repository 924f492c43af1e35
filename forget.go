package tenancy

import "fmt"

// Forget closes the pools of a shard, and forgets what the plugin knows of it: for a database that is made, dropped, or
// made anew under its name while the plugin runs. It waits for nothing: pools in use are closed when their statements and
// transactions have ended, after a minute at the latest, and who needs the shard in the meantime waits for that. A shard that the plugin
// does not know is no error.
//
// It fails with [ErrInvalidConfig] before db.Use, and for the database that gorm.Open opened, which is the application's.
func (p *Plugin) Forget(shard string) error {
	p.mu.Lock()
	hooks := p.hooks
	p.mu.Unlock()
	switch {
	case hooks == nil:
		return fmt.Errorf("%w: the plugin is not installed: db.Use it first", ErrInvalidConfig)
	case shard == "":
		return fmt.Errorf("%w: the default database is the application's to close", ErrInvalidConfig)
	}
	p.databases.Retire(shard)
	p.schemas.Delete(shard)
	p.claims.forget(shard)
	hooks.Forget(shard)
	return nil
}
