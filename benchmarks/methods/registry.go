package methods

// The methods in the order of tables and legends. A new one is a file and a line
// here.
func init() {
	Register(firstOrder...)
	Register(scheduled...)
	Register(rateAPO...)
	Register(nextAPO...)
	Register(calibrated...)
	Register(secondOrder...)
	Register(rivals...)
	Register(lowRankPrecond, defaultPrecond, foundPrecond, precondPlain, precondAbove)
}
