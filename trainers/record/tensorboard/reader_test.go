package tensorboard

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pkg/errors"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// eventProto has the parts of event.proto and summary.proto that are written here. The
// runtime of protocol buffers decodes by it what this package encodes by hand.
const eventProto = `
name: "event.proto" package: "tensorboard" syntax: "proto3"
message_type { name: "Event"
	field { name: "wall_time" number: 1 type: TYPE_DOUBLE label: LABEL_OPTIONAL }
	field { name: "step" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL }
	field { name: "file_version" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
	field { name: "summary" number: 5 type: TYPE_MESSAGE type_name: ".tensorboard.Summary" label: LABEL_OPTIONAL oneof_index: 0 }
	field { name: "session_log" number: 7 type: TYPE_MESSAGE type_name: ".tensorboard.SessionLog" label: LABEL_OPTIONAL oneof_index: 0 }
	oneof_decl { name: "what" } }
message_type { name: "SessionLog"
	field { name: "status" number: 1 type: TYPE_ENUM type_name: ".tensorboard.SessionLog.SessionStatus" label: LABEL_OPTIONAL }
	enum_type { name: "SessionStatus"
		value { name: "STATUS_UNSPECIFIED" number: 0 } value { name: "START" number: 1 }
		value { name: "STOP" number: 2 } value { name: "CHECKPOINT" number: 3 } } }
message_type { name: "Summary"
	field { name: "value" number: 1 type: TYPE_MESSAGE type_name: ".tensorboard.Summary.Value" label: LABEL_REPEATED }
	nested_type { name: "Image"
		field { name: "height" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
		field { name: "width" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL }
		field { name: "colorspace" number: 3 type: TYPE_INT32 label: LABEL_OPTIONAL }
		field { name: "encoded_image_string" number: 4 type: TYPE_BYTES label: LABEL_OPTIONAL } }
	nested_type { name: "Value"
		field { name: "tag" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
		field { name: "simple_value" number: 2 type: TYPE_FLOAT label: LABEL_OPTIONAL oneof_index: 0 }
		field { name: "image" number: 4 type: TYPE_MESSAGE type_name: ".tensorboard.Summary.Image" label: LABEL_OPTIONAL oneof_index: 0 }
		oneof_decl { name: "value" } } }`

// message reads fields by name.
type message struct{ protoreflect.Message }

func (m message) field(name string) protoreflect.Value {
	return m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(name)))
}

func (m message) has(name string) bool {
	return m.Has(m.Descriptor().Fields().ByName(protoreflect.Name(name)))
}

func (m message) sub(name string) message { return message{m.field(name).Message()} }

var eventFile = sync.OnceValues(func() (protoreflect.FileDescriptor, error) {
	var file descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(eventProto), &file); err != nil {
		return nil, err
	}
	return protodesc.NewFile(&file, nil)
})

// decode parses an Event and refuses fields that event.proto lacks.
func decode(t *testing.T, data []byte) message {
	t.Helper()
	file, err := eventFile()
	if err != nil {
		t.Fatal(err)
	}
	m := dynamicpb.NewMessage(file.Messages().ByName("Event"))
	if err := proto.Unmarshal(data, m); err != nil {
		t.Fatal(err)
	}
	known(t, m)
	return message{m}
}

func known(t *testing.T, m protoreflect.Message) {
	t.Helper()
	if len(m.GetUnknown()) > 0 {
		t.Errorf("%s has unknown fields: % x", m.Descriptor().Name(), m.GetUnknown())
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList() && f.Kind() == protoreflect.MessageKind:
			for i := range v.List().Len() {
				known(t, v.List().Get(i).Message())
			}
		case f.Kind() == protoreflect.MessageKind:
			known(t, v.Message())
		}
		return true
	})
}

// crc32c is the checksum by its definition: bit by bit, with the reflected polynomial of
// Castagnoli.
func crc32c(data []byte) uint32 {
	c := ^uint32(0)
	for _, b := range data {
		c ^= uint32(b)
		for range 8 {
			low := c & 1
			c >>= 1
			if low == 1 {
				c ^= 0x82f63b78
			}
		}
	}
	return ^c
}

// unmasked takes the mask off a stored checksum.
func unmasked(stored uint32) uint32 {
	r := stored - 0xa282ead8
	return r>>17 | r<<15
}

// records takes the frames off TFRecords. A last one that is not whole is left out, as by a
// reader that waits for the rest.
func records(file []byte) (all [][]byte, err error) {
	for len(file) >= 12 {
		n := binary.LittleEndian.Uint64(file)
		if unmasked(binary.LittleEndian.Uint32(file[8:])) != crc32c(file[:8]) {
			return nil, errors.Errorf("record %d: the checksum of the length is wrong", len(all))
		}
		if uint64(len(file)) < 16+n {
			break
		}
		data := file[12 : 12+n]
		if unmasked(binary.LittleEndian.Uint32(file[12+n:])) != crc32c(data) {
			return nil, errors.Errorf("record %d: the checksum is wrong", len(all))
		}
		all, file = append(all, data), file[16+n:]
	}
	return all, nil
}

type point struct {
	step int
	v    float32
}

// run is what TensorBoard has of a folder.
type run struct {
	curves map[string][]point
	images map[string][]message
}

// readRun applies TensorBoard's rules: files in the order of their names, and from the
// second START on all of its step and later ones is dropped.
func readRun(t *testing.T, folder string) run {
	t.Helper()
	r := run{map[string][]point{}, map[string][]message{}}
	paths, err := filepath.Glob(filepath.Join(folder, "*tfevents*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	starts := 0
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all, err := records(file)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for i, data := range all {
			e := decode(t, data)
			if (i == 0) != strings.HasPrefix(e.field("file_version").String(), "brain.Event:2") {
				t.Fatalf("%s: event %d: version %q", path, i, e.field("file_version"))
			}
			if e.has("session_log") && e.sub("session_log").field("status").Enum() == 1 {
				if starts++; starts > 1 {
					r.drop(int(e.field("step").Int()))
				}
			}
			r.add(e)
		}
	}
	return r
}

func (r run) add(e message) {
	values := e.sub("summary").field("value").List()
	for i := range values.Len() {
		v, step := (message{values.Get(i).Message()}), int(e.field("step").Int())
		tag := v.field("tag").String()
		if v.has("image") {
			r.images[tag] = append(r.images[tag], v.sub("image"))
		} else {
			r.curves[tag] = append(r.curves[tag], point{step, float32(v.field("simple_value").Float())})
		}
	}
}

func (r run) drop(step int) {
	for tag, curve := range r.curves {
		r.curves[tag] = slices.DeleteFunc(curve, func(p point) bool { return p.step >= step })
	}
}
