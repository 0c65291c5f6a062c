package run

import "encoding/json"

// advisedSequence reads the stream sequence of a task out of the server's max-deliveries advisory
// (io.nats.jetstream.advisory.v1.max_deliver).
func advisedSequence(b []byte) (seq uint64, ok bool) {
	var a struct {
		Seq uint64 `json:"stream_seq"`
	}
	return a.Seq, json.Unmarshal(b, &a) == nil && a.Seq > 0
}
