package op

// Lookup finds an operator by domain and name; nil when it is unknown.
func Lookup(domain, name string) *Op { return table[[2]string{domain, name}] }

// families is the table of all operators, one row per family file. A new family is one line.
var families = [][]*Op{}

var table = index(families)

func index(families [][]*Op) map[[2]string]*Op {
	t := map[[2]string]*Op{}
	for _, f := range families {
		for _, o := range f {
			t[[2]string{o.Domain, o.Name}] = o
		}
	}
	return t
}
