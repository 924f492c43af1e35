package sqlproof

import (
	"fmt"
	"strings"
)

// Explanation says for people what became of one statement.
type Explanation struct {
	SQL     string
	Kind    Kind
	Writes  bool
	Sources []Explained // in the order of the text
	Sent    string      // the text that is sent; "" if it is refused
	Refusal *Refusal    // why it is refused; nil if it is not
	plan    *Plan
}

// Explained says of one source of rows whose they are and what holds them to the tenant.
type Explained struct {
	Name, Alias  string
	Line, Column int    // where it is named, counted from 1
	Says         string // "bound by the condition at 1:60", "condition added to WHERE", "belongs to no tenant"
}

// Explain says what a statement was understood to do, which condition binds which table, what is added, what is sent, and
// if it is refused, where and how to write it instead. The text is read each time.
func Explain(analyzer Analyzer, tables Tables, sql string) *Explanation {
	e := &Explanation{SQL: sql}
	st, err := analyzer.Analyze(sql)
	if err != nil {
		e.Refusal = asRefusal(sql, err)
		return e
	}
	e.Kind, e.Writes = st.Kind, st.Writes
	plan, p, added := proveStatement(analyzer, tables, st, true)
	if e.plan, e.Refusal = plan, plan.Refusal; e.Refusal == nil {
		e.Sent = plan.SQL
	}
	for _, b := range st.Blocks {
		for _, s := range b.Sources {
			if s.Kind != TableSource {
				continue
			}
			line, column := position(sql, s.Start)
			e.Sources = append(e.Sources, Explained{s.Name, s.Alias, line, column, p.says(s, added)})
		}
	}
	return e
}

// says tells what holds a table to the tenant.
func (p *proof) says(s *Source, added *rewrite) string {
	switch class := p.lookup(s.Schema, s.Name).Class; class {
	case Unknown:
		return "unknown"
	case Open:
		return "belongs to no tenant"
	case Placed:
		return "has no tenant column: its placement must be the tenant's own"
	case Sharded:
		return "belongs to no tenant: its shard key says where its rows are"
	}
	if added != nil {
		if where, ok := added.notes[s]; ok {
			return where
		}
	}
	k := p.tableOf(s)
	switch {
	case k == nil:
		return "not looked at"
	case k.by != nil:
		line, column := position(p.st.SQL, k.by.At)
		through := ""
		if k.via != nil {
			through = " through " + describe(k.via)
		}
		return fmt.Sprintf("bound%s by the condition at %d:%d", through, line, column)
	case s.Target && s.Block.Kind == Insert && k.bound:
		return "its rows carry the tenant"
	default:
		return "not bound"
	}
}

// position turns an offset into a line and a column, in characters, counted from 1.
func position(sql string, at int) (line, column int) {
	if at < 0 || at > len(sql) {
		return 0, 0
	}
	start := strings.LastIndexByte(sql[:at], '\n') + 1
	return 1 + strings.Count(sql[:at], "\n"), 1 + len([]rune(sql[start:at]))
}

// String returns the explanation as lines of text. It has the statement's own text in it, and no arguments.
func (e *Explanation) String() string {
	var b strings.Builder
	if e.Refusal == nil || len(e.Sources) > 0 {
		b.WriteString(e.Kind.String())
		if e.Writes && e.Kind == Select {
			b.WriteString(" that writes or locks")
		}
		b.WriteByte('\n')
	}
	for _, s := range e.Sources {
		name := s.Name
		if s.Alias != "" && s.Alias != s.Name {
			name += " " + s.Alias
		}
		fmt.Fprintf(&b, "  %s at %d:%d: %s\n", name, s.Line, s.Column, s.Says)
	}
	if e.Refusal != nil {
		fmt.Fprintf(&b, "refused: %s\n", e.Refusal)
		return b.String()
	}
	if e.plan.Rewritten() {
		fmt.Fprintf(&b, "sent:\n  %s\n", strings.ReplaceAll(e.Sent, "\n", "\n  "))
	} else {
		b.WriteString("sent as it is\n")
	}
	for _, k := range e.plan.Keys {
		for i := range k.parts {
			part := &k.parts[i]
			fmt.Fprintf(&b, "the shard key of %s is %s\n", part.table.Name, &part.bound)
			for j := range part.ids {
				fmt.Fprintf(&b, "an ID that carries the shard is %s\n", &part.ids[j].bound)
			}
		}
		if k.Apart != nil {
			fmt.Fprintf(&b, "not for several placements: %s\n", k.Apart)
		}
	}
	for _, in := range e.plan.Inserted {
		fmt.Fprintf(&b, "argument %d is the tenant\n", in.At+1)
	}
	for _, c := range e.plan.Checks {
		what := "a literal"
		if c.Argument >= 0 {
			what = fmt.Sprintf("argument %d", c.Argument+1)
		}
		fmt.Fprintf(&b, "%s must be the tenant, for %s\n", what, c.Table.Name)
	}
	return b.String()
}
