package broker

import "regexp"

// credentials are what stands in front of the host of a URL: user and password, or a token.
var credentials = regexp.MustCompile(`://[^/,\s]*@`)

// Redacted is text, such as a URL, a list of them or an error, with the credentials of every URL in it hidden: errors, logs and reports
// are sent to others.
func Redacted(text string) string { return credentials.ReplaceAllString(text, "://hidden@") }

// refusal is an error of the client that may hold the URL which it was given.
type refusal struct{ error }

func (r refusal) Error() string { return Redacted(r.error.Error()) }
func (r refusal) Unwrap() error { return r.error }
