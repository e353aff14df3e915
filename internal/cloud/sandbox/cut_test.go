package sandbox

import (
	"strings"
	"testing"
)

func TestOutputIsCutFromTheStart(t *testing.T) {
	long := "head" + strings.Repeat("é", 30000) + "tail"
	short := cut(long, maxOutput)
	if n := len([]rune(short)); n != 24000 || !strings.HasPrefix(short, "head") || strings.HasSuffix(short, "tail") {
		t.Errorf("%d characters, begins %.8q", n, short)
	}
	if cut("all", maxErrors) != "all" {
		t.Error("short text was changed")
	}
}

func TestLike(t *testing.T) {
	for _, test := range []struct {
		pattern, value string
		want           bool
	}{
		{"", "", true},
		{"a", "a", true},
		{"a", "b", false},
		{"*", "", true},
		{"a*", "abc", true},
		{"a*c", "abbc", true},
		{"a*c", "ab", false},
		{"a?c", "abc", true},
		{"?", "", false},
		{"ab", "abc", false},
		{"*b*", "abc", true},
		{"????????", "20260101", true},
	} {
		if got := like(test.pattern, test.value); got != test.want {
			t.Errorf("like(%q, %q) = %v", test.pattern, test.value, got)
		}
	}
}

// FuzzLike checks that a text is like itself with any part replaced by a star.
func FuzzLike(f *testing.F) {
	f.Add("abc", 1, 2)
	f.Fuzz(func(t *testing.T, text string, from, to int) {
		if len(text) > 40 || strings.ContainsAny(text, "*?") || from < 0 || to < from || to > len(text) {
			return
		}
		if !like(text, text) || !like(text[:from]+"*"+text[to:], text) {
			t.Errorf("%q is not like itself with %d to %d replaced", text, from, to)
		}
	})
}

func TestScrambledValuesComeBack(t *testing.T) {
	for _, value := range []string{"", "x", "POSTGRES_PASSWORD=s3cret./$@-\nB=ü"} {
		if mixed := scramble(value); unscramble(mixed) != value || value != "" && strings.Contains(mixed, value) {
			t.Errorf("%q became %q", value, mixed)
		}
	}
}

func TestTheCatalogueIsWhole(t *testing.T) {
	for _, kind := range catalogue() {
		if kind.vcpus < 1 || kind.memory < 512 || kind.spot && kind.hourly <= 0 || kind.arch != "x86_64" && kind.arch != "arm64" {
			t.Errorf("%+v", kind)
		}
		if found, ok := typeNamed(kind.name); !ok || found != kind {
			t.Errorf("%s is not found by its name", kind.name)
		}
	}
}
