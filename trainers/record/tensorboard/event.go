package tensorboard

import (
	"encoding/binary"
	"math"
	"time"
)

// The numbers of fields in event.proto and summary.proto.
const (
	eventWallTime    = 1 // double, seconds since 1970
	eventStep        = 2
	eventFileVersion = 3
	eventSummary     = 5
	eventSessionLog  = 7
	logStatus        = 1 // of SessionLog
	summaryValue     = 1
	valueTag         = 1
	valueSimple      = 2 // float
	valueImage       = 4
	imageHeight      = 1
	imageWidth       = 2
	imageColorspace  = 3
	imageEncoded     = 4
)

// fileVersion is what every event file begins with.
const fileVersion = "brain.Event:2"

// statusStart is SessionLog.START. TensorBoard takes the second one of a run, and those
// after it, for restarts: what was written of its step and later ones is dropped.
const statusStart = 1

// The wire types of protocol buffers.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

func appendKey(b []byte, field, wire int) []byte {
	return binary.AppendUvarint(b, uint64(field<<3|wire))
}

// appendInt appends a whole number, and nothing for the default 0.
func appendInt(b []byte, field int, v int64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(appendKey(b, field, wireVarint), uint64(v))
}

func appendDouble(b []byte, field int, v float64) []byte {
	return binary.LittleEndian.AppendUint64(appendKey(b, field, wire64), math.Float64bits(v))
}

func appendFloat(b []byte, field int, v float32) []byte {
	return binary.LittleEndian.AppendUint32(appendKey(b, field, wire32), math.Float32bits(v))
}

// appendBytes appends a string, bytes or a message.
func appendBytes[T string | []byte](b []byte, field int, v T) []byte {
	b = binary.AppendUvarint(appendKey(b, field, wireBytes), uint64(len(v)))
	return append(b, v...)
}

// event begins an Event.
func event(at time.Time, step int) []byte {
	b := appendDouble(nil, eventWallTime, float64(at.UnixMicro())/1e6)
	return appendInt(b, eventStep, int64(step))
}

// versionEvent is the first event of a file.
func versionEvent(at time.Time) []byte {
	return appendBytes(event(at, 0), eventFileVersion, fileVersion)
}

// startEvent is the second: the file goes on at the step.
func startEvent(at time.Time, step int) []byte {
	return appendBytes(event(at, step), eventSessionLog, appendInt(nil, logStatus, statusStart))
}

// summaryEvent has the values of a step, each made by scalarValue or imageValue.
func summaryEvent(at time.Time, step int, values ...[]byte) []byte {
	var summary []byte
	for _, v := range values {
		summary = appendBytes(summary, summaryValue, v)
	}
	return appendBytes(event(at, step), eventSummary, summary)
}

func scalarValue(tag string, v float64) []byte {
	return appendFloat(appendBytes(nil, valueTag, tag), valueSimple, float32(v))
}

func imageValue(tag string, width, height, colorspace int, encoded []byte) []byte {
	b := appendInt(nil, imageHeight, int64(height))
	b = appendInt(b, imageWidth, int64(width))
	b = appendInt(b, imageColorspace, int64(colorspace))
	return appendBytes(appendBytes(nil, valueTag, tag), valueImage, appendBytes(b, imageEncoded, encoded))
}
