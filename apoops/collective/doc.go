// Package collective joins processes, or goroutines in tests, to one training on shares
// of each batch.
//
// A Communicator is what a training needs of them: sums over all, a broadcast and a
// barrier. Single is a process by itself; Local are goroutines of one process; package
// mpi has the processes that mpirun starts. Each of the n members has a rank r, from 0
// to n-1. All members make the same calls in the same order.
//
//	sum := comm.Sum32(gradient) // begins; gradient is not touched before Wait
//	...                         // computes something else
//	err := sum.Wait()           // gradient is now Σ_r gradient_r, the same bits everywhere
//
// A member that fails by itself, while the others wait for it, calls Abort with its error.
// At places that all members come to, JoinErrors lets all know of the error of one, and
// OnFirst has one of them do what it must do alone: such an error is shared (IsShared), and
// all members end in order.
package collective
