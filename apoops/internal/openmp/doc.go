// Package openmp keeps libraries that use OpenMP on the thread that calls them:
// the same work then gives the same bits on any number of cores.
package openmp
