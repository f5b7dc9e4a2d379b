package suite

// firstTuningSeed is the first of the seeds that only searches use.
const firstTuningSeed = 1001
