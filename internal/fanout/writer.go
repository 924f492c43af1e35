package fanout

import (
	"strconv"
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// theLimit is in the place of the number of an argument that is the limit of a placement's rows.
const theLimit = -1

// writer puts a text together of pieces of another one.
type writer struct {
	of   *text
	b    strings.Builder
	args []int // which argument of the original each one is, or theLimit
}

// copy writes a span, placeholders numbered anew.
func (w *writer) copy(s span) {
	if s.empty() {
		return
	}
	w.space()
	w.copyTight(s)
}

// copyTight is copy without a space before it.
func (w *writer) copyTight(s span) {
	from := int(w.of.tokens[s.from].Start)
	for i := s.from; i < s.to; i++ {
		if argument, ok := w.of.marks[i]; ok {
			w.b.WriteString(w.of.sql[from:w.of.tokens[i].Start])
			from = int(w.of.tokens[i].End)
			w.mark(argument)
		}
	}
	w.b.WriteString(w.of.sql[from:w.of.tokens[s.to-1].End])
}

// write writes text between spaces.
func (w *writer) write(s string) {
	w.space()
	w.b.WriteString(s)
}

func (w *writer) space() {
	if w.b.Len() > 0 {
		w.b.WriteByte(' ')
	}
}

// mark writes a placeholder for an argument of the original.
func (w *writer) mark(argument int) {
	if w.of.dialect != sqltext.Postgres {
		w.b.WriteByte('?')
		w.args = append(w.args, argument)
		return
	}
	for i, a := range w.args {
		if a == argument {
			w.b.WriteString("$" + strconv.Itoa(i+1))
			return
		}
	}
	w.args = append(w.args, argument)
	w.b.WriteString("$" + strconv.Itoa(len(w.args)))
}
