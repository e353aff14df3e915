package stack_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"geusemaker/internal/stack"
)

func TestParseMoney(t *testing.T) {
	for text, want := range map[string]stack.Money{
		"0": 0, "0.0": 0, ".0": 0, "-0": 0, "12": 12 * stack.Dollar, "$12": 12 * stack.Dollar, " $0.25\n": stack.Dollar / 4,
		".5": stack.Dollar / 2, "3.": 3 * stack.Dollar, "-1.5": -3 * stack.Dollar / 2, "007": 7 * stack.Dollar,
		"0.000000001": 1, "0.1000000000000": stack.Dollar / 10,
		"9223372036.854775807": math.MaxInt64, "-9223372036.854775808": math.MinInt64,
	} {
		if got, err := stack.ParseMoney(text); err != nil || got != want {
			t.Errorf("ParseMoney(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", " ", "$", "-", ".", "--1", "+1", "1e3", "1,5", "1_000", "0x10", "1.2.3", "€5", "5 USD", "NaN", "null",
		"0.0000000001", "0.0000166667", "9223372036.854775808", "-9223372036.854775809", "99999999999999999999",
	} {
		got, err := stack.ParseMoney(text)
		if err == nil {
			t.Errorf("ParseMoney(%q) = %d, want an error", text, got)
		} else if want := "is not an amount of dollars, such as 0.25"; !strings.HasSuffix(err.Error(), want) {
			t.Errorf("ParseMoney(%q): %v", text, err)
		}
	}
}

func TestMoneyFormat(t *testing.T) {
	for _, tt := range []struct {
		m                    stack.Money
		text, decimal, cents string
		whole                string
	}{
		{0, "$0.00", "0", "$0.00", "$0"},
		{stack.Dollar, "$1.00", "1", "$1.00", "$1"},
		{60_736_000_000, "$60.74", "60.736", "$60.74", "$61"},
		{83_200_000, "$0.0832", "0.0832", "$0.08", "$0"},
		{100_000_000, "$0.10", "0.1", "$0.10", "$0"},
		{5_000_000, "$0.0050", "0.005", "$0.01", "$0"},
		{-5_000_000, "-$0.0050", "-0.005", "-$0.01", "$0"},
		{499_999_999, "$0.50", "0.499999999", "$0.50", "$0"},
		{500_000_000, "$0.50", "0.5", "$0.50", "$1"},
		{-1_234_500_000_000, "-$1234.50", "-1234.5", "-$1234.50", "-$1235"},
		{math.MaxInt64, "$9223372036.85", "9223372036.854775807", "$9223372036.85", "$9223372037"},
		{math.MinInt64, "-$9223372036.85", "-9223372036.854775808", "-$9223372036.85", "-$9223372037"},
	} {
		if got := tt.m.String(); got != tt.text {
			t.Errorf("Money(%d).String() = %s, want %s", int64(tt.m), got, tt.text)
		}
		if got := tt.m.Decimal(); got != tt.decimal {
			t.Errorf("Money(%d).Decimal() = %s, want %s", int64(tt.m), got, tt.decimal)
		}
		if got := tt.m.Format(2); got != tt.cents {
			t.Errorf("Money(%d).Format(2) = %s, want %s", int64(tt.m), got, tt.cents)
		}
		if got := tt.m.Format(0); got != tt.whole {
			t.Errorf("Money(%d).Format(0) = %s, want %s", int64(tt.m), got, tt.whole)
		}
	}
}

// Multiplication is exact to half a nano-dollar, and saturates. Rationals of math/big are the second opinion.
func TestMoneyTimes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	number := func() int64 { return int64(random.Uint64()) >> random.IntN(64) }
	half := big.NewRat(1, 2)
	for range 5000 {
		m, num, den := stack.Money(number()), number(), number()
		if den == 0 {
			den = 1
		}
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(int64(m)), big.NewInt(num)), big.NewInt(den))
		got := m.Times(num, den)
		switch {
		case exact.Cmp(new(big.Rat).SetInt64(math.MaxInt64)) >= 0:
			if got != math.MaxInt64 {
				t.Fatalf("%d x %d/%d = %d, want saturation", m, num, den, got)
			}
		case exact.Cmp(new(big.Rat).SetInt64(math.MinInt64)) <= 0:
			if got != math.MinInt64 {
				t.Fatalf("%d x %d/%d = %d, want negative saturation", m, num, den, got)
			}
		default:
			off := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(got)), exact)
			if off.Abs(off).Cmp(half) > 0 {
				t.Fatalf("%d x %d/%d = %d, off by %s", m, num, den, got, off.FloatString(3))
			}
		}
	}
	for _, tt := range []struct{ m, num, den, want int64 }{
		{1, 1, 2, 1}, {-1, 1, 2, -1}, {1, -1, 2, -1}, {1, 1, -2, -1}, {3, 1, 2, 2}, {1, 1, 3, 0}, {7, 0, 5, 0}, {7, 5, 0, 0},
	} {
		if got := stack.Money(tt.m).Times(tt.num, tt.den); int64(got) != tt.want {
			t.Errorf("%d x %d/%d = %d, want %d (half goes away from zero)", tt.m, tt.num, tt.den, got, tt.want)
		}
	}
	if got := (stack.Dollar / 10).Monthly(); got != 73*stack.Dollar {
		t.Errorf("ten cents an hour are %s a month, want $73.00", got)
	}
	if got := (73 * stack.Dollar).Hourly(); got != stack.Dollar/10 {
		t.Errorf("$73 a month are %s an hour, want ten cents", got)
	}
}

// What is written as text or JSON is read back to the nano-dollar, and a JSON number never passes through a float.
func FuzzMoneyRoundTrip(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 83_200_000, 9_007_199_254_740_993, math.MaxInt64, math.MinInt64} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		m := stack.Money(n)
		if back, err := stack.ParseMoney(m.Decimal()); err != nil || back != m {
			t.Fatalf("%d is written as %s and read as %d, %v", n, m.Decimal(), back, err)
		}
		text, err := json.Marshal(m)
		if err != nil || !json.Valid(text) || text[0] == '"' {
			t.Fatalf("%d as JSON is %s, %v", n, text, err)
		}
		var back stack.Money
		if err := json.Unmarshal(text, &back); err != nil || back != m {
			t.Fatalf("%d is written as %s and read as %d, %v", n, text, back, err)
		}
	})
}

// Whatever a user types is either refused or an amount that is read the same again.
func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"", "$1", "-.5", "1.", "0.0832", "1e9", "--1", "999999999999", "0.0000000001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := stack.ParseMoney(s)
		if err != nil {
			return
		}
		if back, err := stack.ParseMoney(m.Decimal()); err != nil || back != m {
			t.Fatalf("%q is %d, written as %s and read as %d, %v", s, m, m.Decimal(), back, err)
		}
		if m > 0 && strings.Contains(m.Format(9), "-") {
			t.Fatalf("%q shows as %s", s, m.Format(9))
		}
	})
}
