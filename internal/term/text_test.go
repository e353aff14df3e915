package term

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

func TestCutCountsColumnsNotRunes(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"short", 10, "short"},
		{"exactly ten", 11, "exactly ten"},
		{"much too long", 8, "much to…"},
		{"長い名前", 8, "長い名前"},
		{"長い名前", 7, "長い名…"},
		{"長い名前", 6, "長い…"},
		{"👩‍👩‍👧‍👦 family", 4, "👩‍👩‍👧‍👦 …"},
		{"\x1b[31mred text\x1b[m", 4, "\x1b[31mred…\x1b[m"},
		{"x", 0, ""},
	} {
		got := cut(c.text, c.width)
		if got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
		if w := ansi.StringWidth(got); w > c.width {
			t.Errorf("cut(%q, %d) is %d wide", c.text, c.width, w)
		}
	}
	if got, want := fitTail("image/docker.n8n.io/n8nio/n8n:2.46.5", 20), "…io/n8nio/n8n:2.46.5"; got != want {
		t.Errorf("fitTail gave %q, want %q", got, want)
	}
}

func TestWrapKeepsWordsWhole(t *testing.T) {
	got := wrap("open https://203.0.113.7:11434/a/very/long/path and log in\nthen go on", 20)
	want := []string{"open", "https://203.0.113.7:11434/a/very/long/path", "and log in", "then go on"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAges(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 5*time.Minute + 59*time.Second: "5m", 3 * time.Hour: "3h", 47 * time.Hour: "47h", 50 * time.Hour: "2d", 400 * 24 * time.Hour: "400d",
	} {
		if got := Age(d); got != want {
			t.Errorf("Age(%s) = %s, want %s", d, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 400 * time.Millisecond: "0s", 42 * time.Second: "42s", 59*time.Second + 700*time.Millisecond: "1m00s", 70 * time.Second: "1m10s", 62 * time.Minute: "1h02m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%s) = %s, want %s", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{90 * time.Second: "usually ~90s", 3 * time.Minute: "usually ~3m"} {
		if got := usually(d); got != want {
			t.Errorf("usually(%s) = %s, want %s", d, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 312_400_000: "312 MB", 1_250_000_000: "1.2 GB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, got, want)
		}
	}
}

// FuzzClean: nothing that can act on a terminal gets through.
func FuzzClean(f *testing.F) {
	f.Add("plain\ttext\n")
	f.Add("\x1b]0;title\x07\x1b[31mred\x9b2J\u202e")
	f.Add("\xff\xfe\x1b\x1b[[")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range clean(s) {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
				t.Fatalf("clean(%q) = %q", s, clean(s))
			}
		}
		if strings.Contains(oneLine(s), "\n") {
			t.Fatalf("oneLine(%q) has lines", s)
		}
	})
}
