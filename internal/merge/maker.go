package merge

// maker makes the accumulators of a column, one for each group.
type maker func(*memory) accumulator

// makerOf returns the maker of a result that is made of column c.
func makerOf(d *Description, c *column, r Result) (maker, error) {
	switch r.Func {
	case Key:
		return func(*memory) accumulator { return &first{column: r.Column} }, nil
	case Count:
		return func(*memory) accumulator { return &counter{column: r.Column, name: c.name} }, nil
	case Sum:
		adds, err := adderOf(d, c)
		return func(*memory) accumulator { return &summing{column: r.Column, adder: adds()} }, err
	case Min, Max:
		compare, err := comparisonOf(c)
		return func(*memory) accumulator {
			return &extremum{column: r.Column, compare: compare, greatest: r.Func == Max}
		}, err
	case Avg:
		adds, divide, err := averageOf(d, c, false)
		return func(*memory) accumulator {
			return &averaging{column: r.Column, adder: adds(), count: counter{column: r.Count, name: c.name}, divide: divide}
		}, err
	case CountDistinct, SumDistinct, AvgDistinct:
		return distinctOf(d, c, r)
	default:
		return nil, misfit("a function that there is not")
	}
}
