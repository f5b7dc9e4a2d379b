// Package convtest has the definition of a convolution and geometries for tests.
package convtest
