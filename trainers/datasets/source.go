package datasets

// set says where the files of a data set lie.
type set struct {
	// title is what messages call it, name is that of its folder in the cache.
	title, name string
	// folders are tried below the data folder, "" being that folder itself.
	folders []string
	// system are absolute folders tried after the cache.
	system []string
	// note ends the error for a file that was not found.
	note string
}

// file is one published file. Sizes and sums are those of its unpacked content.
type file struct {
	// name and aliases are accepted as they are and with .gz; archives are zip
	// files that hold name.
	name     string
	aliases  []string
	archives []string
	// size in bytes and hexadecimal SHA-256; 0 and "" if none is published. md5
	// stands for the sum where only that is.
	size int64
	sum  string
	md5  string
	// rows is the number of lines below the header where there is no sum, most
	// the bytes that these cannot exceed.
	rows int
	most int64
	// text is set where errors are to name the line.
	text bool
	urls []string
}

// ownFactor is how many times larger than the published file one may be that
// is not compared with it.
const ownFactor = 8

// limit is the largest size that the unpacked content may have.
func (f file) limit(checksum bool) int64 {
	switch {
	case f.most > 0:
		return f.most
	case f.size == 0:
		return maxBytes
	case checksum:
		return f.size
	}
	return min(ownFactor*f.size, maxBytes)
}

// localNames are the names that the file may have on disk.
func (f file) localNames() []string {
	var names []string
	for _, name := range append([]string{f.name}, f.aliases...) {
		names = append(names, name, name+".gz")
	}
	return append(names, f.archives...)
}
