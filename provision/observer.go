package provision

import (
	"context"
	"time"

	"github.com/gormtenancy/tenancy"
)

// Step is a step of making or dropping a tenant.
type Step string

// The steps of [Provisioner.Create], in their order.
const (
	Registering Step = "registering" // in the catalog
	Claiming    Step = "claiming"    // nobody else has something of this name
	Storing     Step = "storing"     // the database or the schema
	MakeTables  Step = "tables"
	MakeKeys    Step = "keys"
	Securing    Step = "row security"
	Referencing Step = "reference rows"
	Seeding     Step = "seed"
	Activating  Step = "activating"
	Undoing     Step = "undoing" // after another step has failed, or its process was killed
)

// The steps of [Provisioner.Drop], in their order.
const (
	Suspending Step = "suspending"
	Draining   Step = "draining" // no process acts on the tenant any more
	Dropping   Step = "dropping" // the tenant is marked as one that is being dropped
	Emptying   Step = "emptying" // its database, its schema or its rows are removed
	Removing   Step = "removing" // from the catalog
)

// StepEvent is what a [StepObserver] is told.
type StepEvent struct {
	Tenant tenancy.ID
	Step   Step
	Took   time.Duration
	Err    error // why the step failed
}

// StepObserver hears of each step when it has ended. It is called in the goroutine that does the work, before the next step.
type StepObserver interface {
	ProvisionStep(ctx context.Context, e StepEvent)
}

// step does one step. Its error says which.
func (p *Provisioner) step(ctx context.Context, id tenancy.ID, step Step, do func() error) error {
	began := time.Now()
	err := ctx.Err()
	if err == nil {
		err = do()
	}
	if p.observer != nil {
		p.observer.ProvisionStep(ctx, StepEvent{Tenant: id, Step: step, Took: time.Since(began), Err: err})
	}
	if err != nil {
		return &StepError{Tenant: id, Step: step, Err: err}
	}
	return nil
}
