package methods

// The order of tables and legends. A new method is a file and a line here.
func init() {
	Register(firstOrder...)
	Register(scheduled...)
	Register(rateAPO...)
	Register(calibrated...)
	Register(rivals...)
	Register(precond, precondAbove)
}
