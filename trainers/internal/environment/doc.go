// Package environment describes what the last bits of a run may depend on beside its
// settings: Of names the libraries, Go and the processor, and Notes compares them with those
// of a checkpoint. Another environment is no error, but the user should know:
//
//	for _, note := range environment.Notes(stored) {
//		fmt.Println(note)
//	}
package environment
