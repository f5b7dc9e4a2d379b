package datasets

// set says where the files of a data set lie.
type set struct {
	// name is that of its folder in the cache.
	name string
	// folders are tried below the data folder, "" being that folder itself.
	folders []string
	// system are absolute folders tried after the cache.
	system []string
	// note ends the error when a file is nowhere.
	note string
}

// file is one published file. Sizes and sums are those of its unpacked content.
type file struct {
	// name is accepted as it is and with .gz; archives are zip files that hold
	// it.
	name     string
	archives []string
	// size in bytes and hexadecimal SHA-256; 0 and "" if none is published. md5
	// stands for the sum where only that is.
	size int64
	sum  string
	md5  string
	// rows is the number of lines below the header where there is no sum.
	rows int
	urls []string
}

// localNames are the names under which the file is looked for.
func (f file) localNames() []string {
	return append([]string{f.name, f.name + ".gz"}, f.archives...)
}
