package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskDelta is the constant of the mask: a file that holds checksums of data with
// checksums would otherwise be weakly protected.
const maskDelta = 0xa282ead8

// masked is the masked CRC-32C of data: rotated to the right by 15 bits, plus maskDelta.
func masked(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + maskDelta
}

// appendFrame appends data as a TFRecord.
func appendFrame(to, data []byte) []byte {
	start := len(to)
	to = binary.LittleEndian.AppendUint64(to, uint64(len(data)))
	to = binary.LittleEndian.AppendUint32(to, masked(to[start:]))
	to = append(to, data...)
	return binary.LittleEndian.AppendUint32(to, masked(data))
}
