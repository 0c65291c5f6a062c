// Package run carries out one job: it prepares model and data, turns the questions of package search into cells and tasks
// on JetStream, the results into answers, and the outcome into files. It is where clocks, disks and brokers meet; a
// decision about groups may not enter (package search), nor how a number is computed (packages of evaluator).
//
// States. A cell is unknown, asked (in a task, or waiting for one) or known; known cells are in the result stream for
// ever, which is the journal of a job: a run that was interrupted asks again and every known cell is answered from there. A
// task is waiting (in the heap here), published (in the stream, at most two per live slot) or gone; nobody remembers it.
// An evaluator that cannot go on for a reason of the moment gives its task back, and it is published anew. Only silence
// counts against a task: when three processes died on it, its cells go one by one, each while nothing else is in work, and
// a cell that three processes died on alone ends the job.
//
// Speculation (speculate.go): slots that a round leaves idle compute cells that the next rounds are likely to ask, and what
// turns out wrong is cancelled. On a modelled cluster of 16 slots (TestSpeculation with ASSAY_DELAY), with nine reverts of 23 cells each, a
// search took 0.79 to 0.86 of its time without; with three reverts of 11 cells 0.81 to 1.07, on a machine under load.
//
// A cell that does not fit into a node's memory goes to the others, and ends the job when every live node has refused it.
//
// Life cycle: every goroutine started here ends before the function that started it returns. Interruption is the context;
// what was computed by then stays.
//
// A cell and a task on one page (dispatcher holds all of it under one lock):
//
//	cell   unknown --ask--> asked ------------------- result --> known          learn enters it into the ledger
//	         |                ^                                    ^
//	         | foresee        | redeem (adopted with its task)     | redeem (already in the stream)
//	         v                |                                    |
//	       guess --stake--> guessed ---------------- result --> computed
//	                          | cancelGuesses, forgo               ^
//	                          v                                    |
//	                       cancelled ------- a late result --------+
//
//	task   waiting --next, send--> live (published) --- all cells known --> gone
//	         ^                        |  |
//	         |  requeue               |  | judge: silent, deadly processes died on it
//	         +------------------------+  v
//	                                  suspects: one parcel a cell, alone in the stream --- as many deaths --> ErrPoison
//
// Who waits for whom. Job runs in its caller's goroutine and waits in dispatcher.do. Beside it are: the evaluators of
// this process (seat.hire; leave cancels them and waits), the callbacks of the result consumer and of the subscriptions
// (listen; its stop unsubscribes and waits until the consumer has closed), and the look at the disk (guardState; its
// stop waits). They end in this order: stop, leave, guard.
//
// What is on disk when. Pieces of samples and their manifest while decoding, with a problem of the first sample alone where the
// model is tried on it (trial.go); model, inputs, meter and problem before
// the float baseline; a view before its first cell is asked; every cell's result when its evaluator has it; params
// after calibration; job.json before the search; the INT8 model, by rename, after it; the reports last. Killed at any
// point between, the same command finds whatever is there by digest and asks for the rest. Nothing is ever read back
// that a digest or a rename does not vouch for.
package run
