package wire

import (
	"encoding/hex"
	"fmt"
	"time"

	"assay/shared/plan"
)

// Names of streams and buckets.
const (
	TaskStream   = "TASKS"
	ResultStream = "RESULTS"
	ObjectBucket = "OBJECTS"
)

// Subjects that carry no digest.
const (
	TaskSubjects     = "task.>"   // all tasks of all numerics versions
	ResultSubjects   = "result.>" // all results
	HeartbeatSubject = "node.heartbeat"
	CallSubject      = "node.call" // asks every node for a heartbeat now
)

// HeartbeatEvery is how often a node speaks; a node that is silent for NodeTimeout does not count as live.
const (
	HeartbeatEvery = time.Second
	NodeTimeout    = 4 * time.Second
)

// Headers of a result message: everything about its making that is no part of its value.
const (
	HeaderNode  = "Assay-Node"
	HeaderTier  = "Assay-Tier"
	HeaderBuild = "Assay-Build"
	HeaderTook  = "Assay-Took"    // a Go duration
	HeaderRuns  = "Assay-Samples" // samples run through a model for it
)

// TaskSubject is where tasks of a numerics version and a job go. Both are single subject tokens (no dot, blank, * or >), here
// and below; nothing checks it.
func TaskSubject(numerics, job string) string { return fmt.Sprintf("task.%s.%s", numerics, job) }

// TaskFilter is what the consumer of a numerics version reads, and ConsumerName is its durable name.
func TaskFilter(numerics string) string { return fmt.Sprintf("task.%s.>", numerics) }

// ConsumerName is the durable name of the pull consumer of a numerics version.
func ConsumerName(numerics string) string { return "numerics-" + numerics }

// ResultSubject is where the result of a cell is stored, whatever job asks for it.
func ResultSubject(cell plan.Digest) string { return "result." + hex.EncodeToString(cell[:]) }

// ClaimSubject is where nodes tell that they begin on a task of a job; nobody stores it.
func ClaimSubject(job string) string { return "claim." + job }

// FailureSubject is where failures of a job are told; nobody stores them.
func FailureSubject(job string) string { return "failure." + job }

// CancelSubject is where the end of a job is told, so that evaluators drop what they hold of it.
func CancelSubject(job string) string { return "cancel." + job }

// CancelTaskSubject is where it is told that nobody waits for one task of a job any more, by Task.Number in decimal digits.
// CancelTaskSubject("*", "*") hears of all.
func CancelTaskSubject(job, number string) string { return "cancel." + job + "." + number }
