package prooftest

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// Texts returns the texts of statements.
func Texts(of []Statement) []string {
	texts := make([]string, len(of))
	for i, s := range of {
		texts[i] = s.SQL
	}
	return texts
}

// BenchProve is the first sight of texts that bind their tables themselves: read and proven, without the cache.
func BenchProve(b *testing.B, analyzer sqlproof.Analyzer, statements []Statement) {
	b.Helper()
	p := sqlproof.NewProver(analyzer, CorpusTables(), 1) // too small to keep anything
	bench(b, statements, func(sql string) {
		if plan := p.Prove(sql); plan.Refusal != nil || plan.Rewritten() {
			b.Fatal(plan.SQL, plan.Refusal)
		}
	})
}

// BenchRewrite is that of texts that conditions are added to: they are read twice, and the trees are compared.
func BenchRewrite(b *testing.B, analyzer sqlproof.Analyzer, statements []Statement) {
	b.Helper()
	p := sqlproof.NewProver(analyzer, CorpusTables(), 1)
	bench(b, statements, func(sql string) {
		if plan := p.ProveStrictly(sql); plan.Refusal != nil {
			b.Fatal(plan.Refusal)
		}
	})
}

// BenchParse is what of this the parser takes.
func BenchParse(b *testing.B, statements []Statement, parse func(sql string) error) {
	b.Helper()
	bench(b, statements, func(sql string) {
		if err := parse(sql); err != nil {
			b.Fatal(err)
		}
	})
}

func bench(b *testing.B, statements []Statement, do func(sql string)) {
	b.Helper()
	for _, s := range statements {
		b.Run(s.Comment, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				do(s.SQL)
			}
		})
	}
}
