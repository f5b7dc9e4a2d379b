// Package durable writes files that survive a kill or a loss of power: at any
// moment a file holds all of its old content or all of its new.
//
//	err := durable.WriteFile("settings.json", text)
//	log, lines, err := durable.OpenLog("steps.log", nil) // goes on behind its last whole line
//
// Logs, which only grow, are the exception: OpenLog repairs what a kill left of
// one. LockFolder keeps two runs out of one folder.
//
// UntilStopped is for a program that saves when it is asked to stop, Together for the
// processes of one training, which must stop after the same step.
package durable
