package callbacks

import (
	"cmp"
	"context"
	"strings"
	"sync"
)

// Part is what is done on one shard.
type Part struct {
	Name string
	Run  func() (rows int64, err error)
}

// mostParts is how many shards are written to at a time, if [Hooks.Parallel] is 0.
const mostParts = 8

// RunApart runs parts side by side, and returns how many rows they wrote together. Its error says which were done.
func (h *Hooks) RunApart(parts []Part) (int64, error) {
	ran := h.runParts(parts)
	if len(ran.errs) == 0 {
		return ran.rows, nil
	}
	return ran.rows, h.Rules.Apart(ran.done, ran.failed, ran.errs)
}

// ranParts is what became of parts.
type ranParts struct {
	rows         int64
	done, failed []string // their names
	errs         []error  // of those that failed
}

// runParts runs parts side by side.
func (h *Hooks) runParts(parts []Part) (ran ranParts) {
	results := make([]struct {
		rows int64
		err  error
	}, len(parts))
	var wait sync.WaitGroup
	slots := make(chan struct{}, cmp.Or(h.Parallel, mostParts))
	for i := range parts {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			results[i].rows, results[i].err = parts[i].Run()
		})
	}
	wait.Wait()
	for i, r := range results {
		if r.err != nil {
			ran.failed, ran.errs = append(ran.failed, parts[i].Name), append(ran.errs, r.err)
			continue
		}
		ran.done, ran.rows = append(ran.done, parts[i].Name), ran.rows+r.rows
	}
	return ran
}

// Fan returns the places of a statement that is for several; nil for one.
func (p *Pass) Fan() *Fan { return p.fan }

// Keyed tells whether the statement's place is that of sharded rows, and not the tenant's own.
func (p *Pass) Keyed() bool { return p.keyed }

// Part returns the pass of the part of a statement that goes to one of its places, with the text that is sent there.
func (p *Pass) Part(ctx context.Context, at Place, text string) *Pass {
	own := *p
	own.Context, own.at, own.placed, own.reach, own.fan, own.sent, own.inside = ctx, at, true, There, nil, text, 1
	return &own
}

// TextAt returns a text of a statement for several places, with the names that its tables have in one of them. query is that of the
// statement, or one that [Fan.Ask] made of it.
func (h *Hooks) TextAt(p *Pass, query string, at Place) (string, error) {
	if !at.named() {
		return query, nil
	}
	plan := p.plan
	if plan.SQL != query {
		if plan = h.prover.Locate(query); plan.Refusal != nil {
			return "", h.refusal(p, Unmergeable, plan.Refusal.Error())
		}
	}
	var text strings.Builder
	if refusal := plan.WriteAt(&text, at.Schema, at.TableSuffix); refusal != nil {
		return "", h.refusal(p, Unconfined, refusal.Error())
	}
	return text.String(), nil
}

// Apart tells whether ctx is that of a statement that is sent outside of the transaction which GORM begins for it.
func Apart(ctx context.Context) bool {
	pass := passOf(ctx)
	return pass != nil && (pass.split || pass.fan != nil)
}

// BeganForStatement tells whether ctx is that of a statement, for which GORM begins a transaction, and not the application's.
func BeganForStatement(ctx context.Context) bool { return passOf(ctx) != nil }
