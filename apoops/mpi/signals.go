package mpi

import "os"

// quietSignals keeps Open MPI from installing signal handlers of its own, which the Go
// runtime does not survive.
func quietSignals() { os.Setenv("OMPI_MCA_opal_signal", "") }
