// Package average has averages of the weights of a training, which are evaluated and saved
// in the place of the last ones. With weights θ_t after step t, counted from 1,
//
//	θ̄_t = (1-c_t)·θ̄_{t-1} + c_t·θ_t
//
// The option trainers.Averaged puts one around any rule.
package average
