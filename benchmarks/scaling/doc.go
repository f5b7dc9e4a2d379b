// Package scaling measures what training by several processes costs on this machine, and
// predicts from it the time of a step by 1 to 1024 processes.
//
// A model of few constants has the time of a step by n processes:
//
//	fixed + each·⌈B/n⌉ + max(D/n, d) + 2(n-1)/n·S/bandwidth + 2(n-1)·b·latency
//
// B examples in a batch cost each one the time "each"; what all processes do, such as moving
// the weights, is "fixed". D is second-order work that the processes divide by layers, the
// largest of which takes d. S bytes are summed up by the ring algorithm in b buckets, at most
// ⌈S/MiB⌉. Work.Predict has the terms of results that the processes send each other. Nothing
// is taken to be overlapped. Means are over long runs, in which rare work has its share.
//
// The constants come from steps by one process on one core with two sizes of batches, from
// counts of what two members of a training exchange, and from sums between two processes.
// Steps of two processes test it.
//
//	code := scaling.Run(ctx, []string{"-only", "lenet", "-rounds", "1"}, os.Stdout, os.Stderr)
package scaling
