// Package mpi joins the processes that mpirun, or Slurm's srun, starts to one
// collective.Communicator.
//
//	comm, err := mpi.Start() // collective.Single where the program was started by itself
//	if err != nil {
//		return err
//	}
//	defer comm.Leave(&err) // the function's result
//
// The MPI library is opened when the program runs: no C compiler and no build tag are
// needed, and a program that is started by itself needs no library. Open MPI from 3 on
// and MPICH, with what has its binary interface (Intel MPI, MVAPICH2, Cray MPICH), are
// known. That of the launcher is taken; the environment variable APO_MPI names another
// one: openmpi, mpich, the path of a shared library, or off, which makes each process one
// by itself.
//
// All calls of the library are made by one thread. It sleeps while a sum waits for other
// processes, unless the program does nothing but wait for it, so that training goes on
// beside it. Start raises GOMAXPROCS by one for it, so that it gets its turn beside loops
// that never pause: see par.Reserve.
//
// README.md says how to run on one machine, on several, by Slurm and on Kubernetes.
package mpi
