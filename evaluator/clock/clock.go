// Package clock measures what computing costs on a machine that does other things as well. Nothing that a decision may depend on
// enters here.
package clock
