package merge

import "database/sql/driver"

// batch is rows in one piece of memory, which is used again and again.
type batch struct {
	width  int
	values []driver.Value
	text   []byte // what the values of type []byte point to
	count  int    // rows
	size   int    // bytes of text
}

func (b *batch) row(i int) []driver.Value { return b.values[i*b.width : (i+1)*b.width : (i+1)*b.width] }

func (b *batch) full(o Options) bool { return b.count >= o.Rows || b.size >= o.Bytes }

// add copies a row. A driver's bytes are valid until it reads the next row (go1.26, database/sql/driver, Rows.Next), so they
// are copied too, unless they are ours already.
func (b *batch) add(row []driver.Value, ours bool) {
	b.width = len(row)
	b.count++
	b.values = append(b.values, row...)
	for i, v := range row {
		switch v := v.(type) {
		case string:
			b.size += len(v)
		case []byte:
			b.size += len(v)
			if !ours && v != nil {
				from := len(b.text)
				b.text = append(b.text, v...)
				b.values[len(b.values)-len(row)+i] = b.text[from:len(b.text):len(b.text)]
			}
		}
	}
}

// reset empties the batch. What its rows pointed to is overwritten later.
func (b *batch) reset(o Options) {
	clear(b.values)
	b.values, b.count, b.size = b.values[:0], 0, 0
	if cap(b.text) > 2*o.Bytes {
		b.text = nil // a large row came by
	}
	b.text = b.text[:0]
}

// retained returns a value that stays as it is when its batch is reset.
func retained(v driver.Value) driver.Value {
	if b, ok := v.([]byte); ok && b != nil {
		return append(make([]byte, 0, len(b)), b...)
	}
	return v
}
