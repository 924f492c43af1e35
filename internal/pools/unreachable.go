package pools

// Unreachable tells whether an error means that there is no connection to the database, so that nothing of a read is lost if
// another answers it.
func Unreachable(err error) bool { return err != nil && lost(err) }
