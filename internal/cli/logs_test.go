package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/cloud/compute"
	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
	"geusemaker/internal/term"
)

// talking is a machine whose boot log can be read in pieces, as a function of the time since the test began.
type talking struct {
	start time.Time
	piece int
	log   func(age time.Duration) (text string, complete, failed bool)
	err   func(age time.Duration) error
	init  string // what cloud-init has written
	asked []int64
}

func (m *talking) Report(_ context.Context, _ string, offset int64) (stack.Report, error) {
	age := time.Since(m.start)
	if m.err != nil {
		if err := m.err(age); err != nil {
			return stack.Report{}, err
		}
	}
	m.asked = append(m.asked, offset)
	text, complete, failed := m.log(age)
	from := min(int(offset), len(text))
	next := min(from+m.piece, len(text))
	r := stack.Report{Time: time.Now(), Complete: complete, Failed: failed, Log: stack.LogPiece{Offset: int64(from), Next: int64(next), Size: int64(len(text)), Text: text[from:next]}}
	if failed {
		r.Steps = []stack.BootStep{{Name: "images", Status: "failed", Detail: "no space"}}
	}
	return r, nil
}

func (m *talking) CloudInitLog(_ context.Context, _ string, offset int64) (stack.LogPiece, error) {
	if m.init == "" {
		return stack.LogPiece{}, errors.New("denied")
	}
	next := min(int(offset)+m.piece, len(m.init))
	return stack.LogPiece{Next: int64(next), Size: int64(len(m.init)), Text: m.init[offset:next]}, nil
}

func (m *talking) ServiceLog(string, string, compute.LogRange) (*compute.ServiceLog, error) {
	return nil, errors.New("not of this machine")
}

// reading is a read of a log with all that was shown on the way.
type reading struct {
	out   *bytes.Buffer
	notes []string
	warns []string
	err   error
}

// readBoot reads the boot log of a machine in a bubble.
func readBoot(t *testing.T, m *talking, follow bool, part compute.LogRange, output string, console func() (string, error)) reading {
	t.Helper()
	m.start = time.Now()
	streams, far := term.Test(term.Facts{})
	a := &app{streams: streams, global: globals{output: output}}
	got := reading{out: &far.Out}
	sheet := &logSheet{app: a, name: "demo", follow: follow, part: part}
	r := &logReader{
		machine: m, clock: engine.Wall{}, instance: "i-1", sheet: sheet, follow: follow, patience: 6 * time.Minute,
		note:    func(text string) { got.notes = append(got.notes, text) },
		warn:    func(text string) { got.warns = append(got.warns, text) },
		console: func(context.Context, string) (string, error) { return console() },
	}
	got.err = errors.Join(r.read(t.Context(), "", part), sheet.close())
	return got
}

// numbered is a log of n lines of different lengths, some of them empty.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d größe\n\n", strings.Repeat("=", i%90), i)
	}
	return b.String()
}

// Pieces of any size give the whole log, and so does a log that grows while it is followed, to its end.
func TestBootLogInPiecesOfAnySize(t *testing.T) {
	whole := numbered(120)
	for _, piece := range []int{1, 5, 63, 1000, 12000, len(whole)} {
		for _, follow := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				m := &talking{piece: piece, log: func(age time.Duration) (string, bool, bool) {
					if !follow {
						return whole, true, false
					}
					there := min(int(age.Seconds())*150, len(whole))
					return whole[:there], there == len(whole), false
				}}
				got := readBoot(t, m, follow, compute.LogRange{Tail: -1}, outputTable, nil)
				if got.err != nil || got.out.String() != whole {
					t.Errorf("pieces of %d, follow %t: %d of %d bytes, %v", piece, follow, got.out.Len(), len(whole), got.err)
				}
			})
		}
	}
}

// The last lines are exactly those, however long, and a long log is not read for them from its beginning.
func TestTailOfTheBootLog(t *testing.T) {
	long := strings.Repeat(strings.Repeat("x", 2000)+"\n", 40)
	for _, tt := range []struct {
		name, log string
		tail      int
		pieces    int // at most, and a question for the size
	}{
		{"short lines", numbered(2000), 10, 1},
		{"none", numbered(2000), 0, 1},
		{"long lines", long, 10, 9},
		{"more than there are", numbered(20), 1000, 1},
		{"no end of line", "one\ntwo\nthree", 2, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := &talking{piece: 12000, log: func(time.Duration) (string, bool, bool) { return tt.log, true, false }}
			got := readBoot(t, m, false, compute.LogRange{Tail: tt.tail}, outputTable, nil)
			lines := strings.SplitAfter(strings.TrimSuffix(tt.log, "\n")+"\n", "\n")
			lines = lines[:len(lines)-1]
			want := strings.Join(lines[max(0, len(lines)-tt.tail):], "")
			if got.err != nil || got.out.String() != want || len(m.asked) > tt.pieces+1 {
				t.Errorf("%s: %d bytes, want %d; %d questions; %v", tt.name, got.out.Len(), len(want), len(m.asked), got.err)
			}
		})
	}
}

// The boot log tells the time at the beginning of a step; what follows is as old.
func TestSinceOfTheBootLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(ago time.Duration) string { return time.Now().Add(-ago).UTC().Format(time.RFC3339) }
		log := "no time\n" + at(time.Hour) + " step packages\nold\n" + at(5*time.Minute) + " step images\nyoung\n"
		m := &talking{piece: 10, log: func(time.Duration) (string, bool, bool) { return log, true, false }}
		got := readBoot(t, m, false, compute.LogRange{Since: 10 * time.Minute, Tail: -1}, outputJSON, nil)
		var doc logDoc
		if err := json.Unmarshal(got.out.Bytes(), &doc); err != nil || got.err != nil {
			t.Fatal(err, got.err)
		}
		if len(doc.Lines) != 2 || doc.Lines[0].Time != at(5*time.Minute) || doc.Lines[1].Text != "young" || doc.Lines[1].Time != "" {
			t.Errorf("lines %+v", doc.Lines)
		}
	})
}

func TestFollowingABootThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &talking{piece: 100, log: func(age time.Duration) (string, bool, bool) { return numbered(30), false, age > time.Minute }}
		got := readBoot(t, m, true, compute.LogRange{Tail: -1}, outputTable, nil)
		boot, ok := errors.AsType[*engine.BootError](got.err)
		if !ok || boot.Step != "images" || got.out.String() != numbered(30) {
			t.Errorf("%v after %d bytes", got.err, got.out.Len())
		}
	})
}

// What cannot be had from the machine's own programs is looked for elsewhere, and a message says where.
func TestLogsFromElsewhere(t *testing.T) {
	denied := errors.New("denied")
	notThere := func() (string, error) { return "", fmt.Errorf("%w: EC2 has no console output", engine.ErrNotYet) }
	screen := func() (string, error) { return "Linux\nlogin:", nil }
	for _, tt := range []struct {
		name    string
		err     func(age time.Duration) error
		init    string
		console func() (string, error)

		out, notes, warns, wrong string
		after                    time.Duration // at the least
	}{
		{
			name: "late agent", out: "the log\n", notes: "the machine has not registered with Systems Manager; waiting for it", after: 5 * time.Minute,
			err: func(age time.Duration) error {
				if age < 5*time.Minute {
					return compute.ErrNotRegistered
				}
				return nil
			},
		},
		{
			name: "no agent", console: screen, out: "Linux\nlogin:\n", after: 6 * time.Minute,
			err:   func(time.Duration) error { return compute.ErrNotRegistered },
			notes: "has not registered", warns: "cannot be asked through Systems Manager (the machine has not registered with Systems Manager): this is what EC2 has of its console",
		},
		{
			name: "no files", init: "Cloud-init v. 25\nfailed\n", out: "Cloud-init v. 25\nfailed\n", after: time.Minute,
			err:   func(time.Duration) error { return compute.ErrNoProgram },
			notes: "the machine's files are not in place", warns: "this is cloud-init's",
		},
		{
			name: "no files, and no more rights", console: screen, out: "Linux\nlogin:\n",
			err:   func(time.Duration) error { return compute.ErrNoProgram },
			notes: "not in place", warns: "cannot be asked through Systems Manager (denied)",
		},
		{
			name: "denied", console: screen, out: "Linux\nlogin:\n", err: func(time.Duration) error { return denied }, warns: "(denied)",
		},
		{
			name: "nothing anywhere", console: notThere, err: func(time.Duration) error { return denied }, warns: "(denied)",
			wrong: "there is no log to show: denied, and not yet: EC2 has no console output",
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := &talking{piece: 7, err: tt.err, init: tt.init, log: func(time.Duration) (string, bool, bool) { return "the log\n", true, false }}
			got := readBoot(t, m, false, compute.LogRange{Tail: -1}, outputTable, tt.console)
			took := time.Since(m.start)
			if got.out.String() != tt.out || (got.err == nil) != (tt.wrong == "") || got.err != nil && got.err.Error() != tt.wrong {
				t.Errorf("%s: %q, %v", tt.name, got.out, got.err)
			}
			if notes := strings.Join(got.notes, "\n"); !strings.Contains(notes, tt.notes) || tt.notes == "" && notes != "" || len(got.notes) > 1 {
				t.Errorf("%s: notes %q", tt.name, notes)
			}
			if warns := strings.Join(got.warns, "\n"); !strings.Contains(warns, tt.warns) || tt.warns == "" && warns != "" {
				t.Errorf("%s: warnings %q", tt.name, warns)
			}
			if took < tt.after || took > tt.after+time.Minute+10*time.Second {
				t.Errorf("%s: took %s", tt.name, took)
			}
		})
	}
}

// A machine can write what it likes: on a terminal it moves no cursor, in a file it is as it was.
func TestLogLinesDoNoHarm(t *testing.T) {
	hostile := "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m \u202egnal\ttab\n"
	for _, tty := range []bool{true, false} {
		streams, far := term.Test(term.Facts{OutTTY: tty})
		s := &logSheet{app: &app{streams: streams, global: globals{output: outputTable}}, part: compute.LogRange{Tail: -1}}
		s.begin(bootSource, "machine")
		if err := errors.Join(s.write(hostile), s.close()); err != nil {
			t.Fatal(err)
		}
		want := hostile
		if tty {
			want = "red gnal tab\n"
		}
		if far.Out.String() != want {
			t.Errorf("terminal %t: %q", tty, far.Out.String())
		}
	}
}
