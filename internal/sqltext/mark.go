package sqltext

import "strings"

// HidesMark tells whether a placeholder of GORM's, ? or @name, stands inside a quote or a comment of text, which
// [Dialect.Fragment] accepts. GORM does not read quotes and replaces it there too; by SQL, it would change where the quote
// ends.
func (d Dialect) HidesMark(text string) bool {
	s := scanner{text: text, dialect: d}
	end := 0
	for {
		t := s.next()
		if t.kind == broken {
			return true
		}
		if strings.ContainsAny(text[end:max(end, t.start)], "?@") { // a comment
			return true
		}
		if t.kind == nothing {
			return strings.ContainsAny(text[end:], "?@")
		}
		if (t.kind == quoted || t.kind == literal) && strings.ContainsAny(text[t.start:t.end], "?@") {
			return true
		}
		end = t.end
	}
}
