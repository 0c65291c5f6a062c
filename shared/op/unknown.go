package op

import "fmt"

// Unknown says that a shape rule or a kernel needs the elements of an input before the run, and that input is computed
// from data. Whoever can run what stands in front of the node may do so and come back with the elements; all others report
// it as it is. Input -1 stands for a value that a nested graph computes. It is an ordinary result and no failure:
// errors.As finds it through nodeError.
type Unknown struct {
	Input int
	What  string // of the input, "" when its position says enough
}

func (u *Unknown) Error() string {
	switch {
	case u.Input < 0:
		return fmt.Sprintf("%s follows from data only", u.What)
	case u.What == "":
		return fmt.Sprintf("input %d is computed from data; only constants and what follows from shapes can be used there", u.Input)
	}
	return fmt.Sprintf("input %d (%s) is computed from data; only constants and what follows from shapes can be used there", u.Input, u.What)
}
