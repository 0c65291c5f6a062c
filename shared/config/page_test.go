package config

import (
	"fmt"
	"strings"
)

// page is the reference of the job file in Markdown, made from the table of keys; JOBFILE.md beside this file holds it.
func page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	section := ""
	for _, k := range keysOf() {
		top, _, _ := strings.Cut(k.path, ".")
		if top != section {
			section = top
			fmt.Fprintf(&b, "\n## %s\n\n| key | takes | when absent | meaning |\n|---|---|---|---|\n", section)
		}
		if strings.HasSuffix(k.path, "[]") && k.doc == "" && k.kind == object {
			continue
		}
		name := strings.Replace(strings.TrimPrefix(k.path, section+"."), "algorithms[].params", "…params", 1)
		if k.own {
			name += " *"
		}
		if k.aware {
			name += " †"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, cell(wanted(k)), cell(k.initial), cell(k.meaning()))
	}
	return b.String()
}

// meaning is the documentation of k, or why it is refused.
func (k key) meaning() string {
	if k.refused == "" {
		return k.doc
	}
	out := "**refused**: " + k.refused
	if len(k.accept) > 0 {
		out += "; `" + strings.Join(k.accept, "`, `") + "` is taken"
	}
	return out
}

// cell keeps the columns of the table apart.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

const pageHead = `# The job file

Made from the table of keys in keys.go; ` + "`go test ./shared/config -update`" + ` writes it again.

A job file is POT's configuration as JSON; comments, trailing commas and a byte order mark are allowed. Relative paths
count from its folder. Flags of the command line win over it. An unknown, misspelt, doubled or wrongly typed key is an
error with line and column, and so is a key of POT that is not supported: nothing is ignored.

Keys with * are ours and not POT's; those with † are known to AccuracyAwareQuantization only. …params stands for
` + "`algorithms[].params`" + `.
`
