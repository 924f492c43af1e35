package sqltext

// ChangesSession tells whether a statement may leave something behind on its connection, for whoever uses it next: a setting, a
// role, a transaction, a temporary table that hides another one. One that cannot be read, or is more than one, may.
func (d Dialect) ChangesSession(sql string) bool {
	tokens, why := d.Tokens(sql, nil)
	if why != "" || len(tokens) == 0 {
		return true
	}
	r := definition{text: sql, tokens: tokens}
	for i, t := range tokens {
		if text := sql[t.Start:t.End]; text == ";" && i < len(tokens)-1 || t.Kind == Word && isWord(text, "set_config") ||
			r.is(i, "into") && r.is(i+1, "temp", "temporary", "local") {
			return true
		}
	}
	switch {
	case r.is(0, "set"):
		return !r.is(1, "local", "transaction", "constraints")
	case r.is(0, "create", "drop"):
		return r.is(r.skip(1, "or", "replace", "global", "local"), "temp", "temporary", "role", "user")
	case r.is(0, "alter"):
		return r.is(1, "role", "user", "system", "database")
	}
	return r.is(0, "reset", "discard", "use", "attach", "detach", "begin", "start", "commit", "rollback", "end", "abort", "load",
		"listen", "unlisten", "prepare", "deallocate", "declare", "pragma", "xa", "lock", "unlock", "handler", "flush")
}
