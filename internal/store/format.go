package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"geusemaker/internal/stack"
)

// maxStateSize bounds what is read, in bytes. A state takes some ten thousand.
const maxStateSize = 32 << 20

// document is a state as it lies on disk: one JSON object, with a summary in front.
type document struct {
	// Checksum is that of all that follows it (CRC-32C, in hexadecimal). It tells whether the summary still fits, and
	// nothing more: a state that somebody edited is read as it says.
	Checksum string  `json:"checksum"`
	Summary  Summary `json:"summary"`
	stack.State
}

const (
	beforeChecksum = `{"checksum":"`
	checksumLen    = 8
	beforeSummary  = `","summary":`
	afterSummary   = `},"version":` // which no text within can hold, since its quotes would be escaped
)

// encode makes the file of a state.
func encode(s stack.State) ([]byte, error) {
	raw, err := json.Marshal(document{Checksum: strings.Repeat("0", checksumLen), Summary: Summarize(s), State: s})
	if err != nil {
		return nil, err
	}
	raw = append(raw, '\n')
	rest := raw[len(beforeChecksum)+checksumLen:]
	copy(raw[len(beforeChecksum):], checksum(rest))
	return raw, nil
}

func checksum(b []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// summaryOf reads only the summary of a file. ok is false when it has none that is known to fit: then the whole state is
// to be read.
func summaryOf(raw []byte, name string) (sum Summary, ok bool) {
	rest, found := bytes.CutPrefix(raw, []byte(beforeChecksum))
	if !found || len(rest) < checksumLen || string(rest[:checksumLen]) != checksum(rest[checksumLen:]) {
		return sum, false
	}
	body, found := bytes.CutPrefix(rest[checksumLen:], []byte(beforeSummary))
	end := bytes.Index(body, []byte(afterSummary))
	if !found || end < 0 || json.Unmarshal(body[:end+1], &sum) != nil {
		return sum, false
	}
	return sum, sum.Revision == summaryRevision && sum.Version == stack.StateVersion && sum.Name == name
}

// A migration turns a file of one version into one of the next.
type migration func(raw []byte) ([]byte, error)

// format knows how to read every version of the file that there was. It never writes: an older file becomes a current one
// with the next save.
type format struct {
	version    int
	migrations map[int]migration // by the version that they read
}

// currentFormat is that of this version, the first.
func currentFormat() format { return format{version: stack.StateVersion} }

// decode reads the state of the deployment. Its errors are a *NewerError without a path, or say what is wrong with the
// file.
func (f format) decode(raw []byte, name string) (stack.State, error) {
	raw, tool, err := f.migrate(raw)
	if err != nil {
		return stack.State{}, err
	}
	var doc struct {
		Checksum json.RawMessage `json:"checksum"` // this and the summary are computed from the rest
		Summary  json.RawMessage `json:"summary"`
		Config   json.RawMessage `json:"config"` // hides that of State, which cannot tell that it is missing
		stack.State
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields() // a field that is dropped in silence would be lost with the next save
	if err := dec.Decode(&doc); err != nil {
		return stack.State{}, describe(err, tool)
	}
	s := doc.State
	s.Version = f.version
	if doc.Config == nil {
		return s, errors.New("it holds no configuration")
	}
	if err := s.Config.UnmarshalJSON(doc.Config); err != nil {
		return s, describe(err, tool)
	}
	return s, check(s, name)
}

// migrate looks at the version, before anything else is believed, and brings the file up to the current one.
func (f format) migrate(raw []byte) (current []byte, tool string, err error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, "", errors.New("the file is empty")
	}
	var head struct {
		Version *int   `json:"version"`
		Tool    string `json:"tool"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, "", describe(err, "")
	}
	if head.Version == nil {
		return nil, "", errors.New("it does not say its version, so it may not be of geusemaker at all")
	}
	if *head.Version > f.version {
		return nil, head.Tool, &NewerError{Version: *head.Version, Tool: head.Tool}
	}
	for v := *head.Version; v < f.version; v++ {
		step, ok := f.migrations[v]
		if !ok {
			return nil, head.Tool, fmt.Errorf("there never was a version %d", v)
		}
		if raw, err = step(raw); err != nil {
			return nil, head.Tool, fmt.Errorf("cannot be brought from version %d to %d: %w", v, v+1, err)
		}
	}
	return raw, head.Tool, nil
}

// describe puts an error of the JSON reader into words.
func describe(err error, tool string) error {
	saved := "another version of geusemaker"
	if tool != "" {
		saved = "geusemaker " + printable(tool)
	}
	if e, ok := errors.AsType[*stack.FieldError](err); ok {
		return fmt.Errorf("its configuration cannot be used: %s: %s; %s saved it, which may know more", printable(e.Key), e.Problem, saved)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return fmt.Errorf("it is a JSON %s, not an object", e.Value)
		}
		return fmt.Errorf("the field %s cannot be a %s (byte %d)", printable(e.Field), e.Value, e.Offset)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is not JSON from byte %d on: %w", e.Offset, err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends in the middle")
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("the field %s is unknown to this version; %s saved it", printable(field), saved)
	}
	return err
}

// unfitError is what is wrong with a file itself, as opposed to the disk that it lies on.
type unfitError struct{ err error }

func (e unfitError) Error() string { return e.err.Error() }
func (e unfitError) Unwrap() error { return e.err }

// readFile reads a state or a backup. It refuses what no such file can be, before it could block or fill the memory.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, unfitError{fmt.Errorf("it is no file but a %s", kindOf(info.Mode()))}
	case info.Size() > maxStateSize:
		return nil, unfitError{fmt.Errorf("it has %d MiB, and no state has more than %d", info.Size()>>20, maxStateSize>>20)}
	}
	return readWhole(path, int(info.Size()))
}

// readWhole reads a file of which the size is known: files of this room are replaced, never written to. It does without what
// os.ReadFile asks of the system beside the reading, since a list reads thousands.
func readWhole(path string, size int) ([]byte, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if errors.Is(err, syscall.EINTR) {
		return os.ReadFile(path)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = syscall.Close(fd) }() // of what was only read
	raw := make([]byte, size)
	n, err := syscall.Read(fd, raw)
	if err != nil || n < size {
		return os.ReadFile(path) // interrupted, or shortened by somebody else
	}
	return raw, nil
}

func kindOf(m fs.FileMode) string {
	if m.IsDir() {
		return "folder"
	}
	return "special file"
}
