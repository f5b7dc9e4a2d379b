// Package chart draws curves, for the benchmarks and the example programs.
package chart
