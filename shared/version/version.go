// Package version says which build of Assay runs. Only that may enter.
package version

import "runtime/debug"

// Number is the release. A build may set it with -ldflags "-X assay/shared/version.Number=...".
var Number = "0.1.0"

// String is the release with the commit it was built from, if that is known.
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Number
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return Number + "+" + s.Value[:12]
		}
	}
	return Number
}
