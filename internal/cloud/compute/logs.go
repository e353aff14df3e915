package compute

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// logsCommand is where the machine's files put the program that prints a piece of a service's log, and logPiece how many
// bytes it prints at most.
const (
	logsCommand = "/opt/geusemaker/logs"
	logPiece    = 16000
)

// LogRange says which part of a service's log is wanted.
type LogRange struct {
	Since time.Duration // no older than this, by the machine's clock; 0 means however old
	Tail  int           // at most so many lines, the last ones; negative means all
}

// eternity is older than any machine, in seconds: Docker has no word for "however old".
const eternity = 999_999_999

// ServiceLog reads the log of one service's container, piece by piece, and goes on where it stopped. It is not safe for
// concurrent use.
type ServiceLog struct {
	machine    *Machine
	instanceID string
	service    string

	since string // an age, or a time of Docker's
	tail  string
	skip  int64 // bytes of what Docker shows since then
	last  lastLine
}

// serviceName is what can be the name of a service. It becomes a word of a shell command on the machine.
var serviceName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]{1,20}$`) })

// ServiceLog returns a reader of a service's log. It makes no call.
func (m *Machine) ServiceLog(instanceID, service string, part LogRange) (*ServiceLog, error) {
	if !serviceName().MatchString(service) || part.Since < 0 {
		return nil, fmt.Errorf("there is no log of service %q since %s", service, part.Since)
	}
	seconds := int64(eternity)
	if part.Since > 0 {
		seconds = min(eternity, int64((part.Since+time.Second-1)/time.Second))
	}
	tail := "all"
	if part.Tail >= 0 {
		tail = strconv.Itoa(part.Tail)
	}
	return &ServiceLog{machine: m, instanceID: instanceID, service: service, since: fmt.Sprintf("%ds", seconds), tail: tail}, nil
}

// Next returns what comes next, which may be nothing, and whether there is more already. Put together, what it returned is
// the container's log, each line after a time of Docker's and a space; a piece may end within a line. A container that does
// not exist yet is an engine.ErrNotYet.
func (l *ServiceLog) Next(ctx context.Context) (text []byte, more bool, err error) {
	out, err := l.machine.run(ctx, l.instanceID, fmt.Sprintf("%s %s %s %s %d", logsCommand, l.service, l.since, l.tail, l.skip))
	if failed, ok := errors.AsType[*commandError](err); ok && failed.code == 1 {
		return nil, false, fmt.Errorf("%w: the machine has no container of %s", engine.ErrNotYet, l.service)
	}
	if err != nil {
		return nil, false, err
	}
	var piece struct {
		Now  string `json:"now"`
		Text []byte `json:"text"`
	}
	if err := decode(out, &piece); err != nil {
		return nil, false, err
	}
	if !dockerTime().MatchString(piece.Now) {
		return nil, false, fmt.Errorf("the machine's clock tells %q, which is no time", piece.Now)
	}
	l.advance(piece.Now, piece.Text)
	return piece.Text, len(piece.Text) >= logPiece, nil
}

// dockerTime is a time as Docker puts it before a line: all have the same length and so the order of texts (moby,
// daemon/logger, the format of log timestamps).
var dockerTime = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z$`)
})

const dockerTimeSize = len("2006-01-02T15:04:05.000000000Z")

// advance moves the place behind a piece that was read. The place is the latest time of Docker's that was seen, and how many
// bytes were read of what Docker shows since then: times alone would repeat or lose lines of the same moment. Lines that
// Docker wrote late, with an earlier time, are not shown again and so do not count.
func (l *ServiceLog) advance(now string, text []byte) {
	l.tail = "all"
	if len(text) == 0 && !dockerTime().MatchString(l.since) {
		l.since, l.skip = now, 0 // nothing was there; what comes is later than this
	}
	for part := range bytes.Lines(text) {
		l.count(part)
	}
}

// lastLine is what is known of the line in which a piece ended.
type lastLine struct {
	size int64  // bytes that were read
	head []byte // its beginning, where the time stands
	late bool   // Docker does not show it again
}

// count takes a line, or a part of one.
func (l *ServiceLog) count(part []byte) {
	known := len(l.last.head) == dockerTimeSize // its time was read before
	if !known {
		l.last.head = append(l.last.head, part[:min(len(part), dockerTimeSize-len(l.last.head))]...)
	}
	switch at := string(l.last.head); {
	case known && l.last.late:
	case known || !dockerTime().MatchString(at):
		l.skip += int64(len(part))
	case at > l.since || !dockerTime().MatchString(l.since):
		l.since, l.skip = at, l.last.size+int64(len(part))
	case at == l.since:
		l.skip += int64(len(part))
	default:
		l.last.late = true
		l.skip -= l.last.size
	}
	l.last.size += int64(len(part))
	if bytes.HasSuffix(part, []byte("\n")) {
		l.last = lastLine{}
	}
}

// cloudInitLog is where cloud-init keeps what user data prints (cloud-init docs, "Log and configuration files").
const cloudInitLog = "/var/log/cloud-init-output.log"

// CloudInitLog returns a piece of the log of cloud-init from the offset on. It tells why the machine's own programs are not
// in place.
func (m *Machine) CloudInitLog(ctx context.Context, instanceID string, offset int64) (stack.LogPiece, error) {
	piece := stack.LogPiece{Offset: max(offset, 0)}
	command := fmt.Sprintf("stat -c %%s %[1]s && tail -c +%[2]d %[1]s | head -c %[3]d | base64 -w 0", cloudInitLog, piece.Offset+1, logPiece)
	out, err := m.run(ctx, instanceID, command)
	if err != nil {
		return piece, err
	}
	size, encoded, _ := strings.Cut(out, "\n")
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err == nil {
		piece.Size, err = strconv.ParseInt(size, 10, 64)
	}
	if err != nil {
		return piece, fmt.Errorf("%s on the machine cannot be read: %w", cloudInitLog, err)
	}
	piece.Text, piece.Next = string(text), piece.Offset+int64(len(text))
	piece.Size = max(piece.Size, piece.Next) // it may have grown between the two
	return piece, nil
}

// Console is what reading the console needs of EC2.
type Console interface {
	GetConsoleOutput(context.Context, *ec2.GetConsoleOutputInput, ...func(*ec2.Options)) (*ec2.GetConsoleOutputOutput, error)
}

// ConsoleOutput returns the last 64 KB at most of what the machine wrote to its console. That needs nothing on the machine.
// EC2 has it at once for Nitro machines and some minutes after a change of state for others (EC2 API reference,
// GetConsoleOutput); until then it is an engine.ErrNotYet.
func ConsoleOutput(ctx context.Context, client Console, instanceID string) (string, error) {
	out, err := client.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: new(instanceID), Latest: new(true)})
	if api.Code(err) == "UnsupportedOperation" {
		out, err = client.GetConsoleOutput(ctx, &ec2.GetConsoleOutputInput{InstanceId: new(instanceID)})
	}
	if err != nil {
		return "", err
	}
	if text(out.Output) == "" {
		return "", fmt.Errorf("%w: EC2 has no console output", engine.ErrNotYet)
	}
	console, err := base64.StdEncoding.DecodeString(*out.Output)
	if err != nil {
		return "", errors.New("the console output of EC2 is no base64 text")
	}
	return string(console), nil
}
