package stack

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Money is an amount of US dollars in nano-dollars, so that prices such as $0.0000166667 a second add up exactly. It never
// passes through a float.
type Money int64

// Dollar is one US dollar.
const Dollar Money = 1_000_000_000

// HoursPerMonth is the month that AWS's own price pages use (365 days x 24 hours / 12).
const HoursPerMonth = 730

// ParseMoney reads a decimal amount such as "0.0832" or "$12". More than nine decimals, other currencies and amounts above
// nine billion dollars are errors.
func ParseMoney(s string) (Money, error) {
	digits := strings.TrimPrefix(strings.TrimSpace(s), "$")
	negative := strings.HasPrefix(digits, "-")
	digits = strings.TrimPrefix(digits, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	frac = strings.TrimRight(frac, "0")
	if len(frac) > 9 || whole+frac == "" && !strings.Contains(digits, "0") {
		return 0, fmt.Errorf("%q is not an amount of dollars, such as 0.25", s)
	}
	if whole == "" {
		whole = "0"
	}
	sign := ""
	if negative {
		sign = "-"
	}
	n, err := strconv.ParseInt(sign+whole+frac+strings.Repeat("0", 9-len(frac)), 10, 64)
	if err != nil || whole[0] == '+' || whole[0] == '-' {
		return 0, fmt.Errorf("%q is not an amount of dollars, such as 0.25", s)
	}
	return Money(n), nil
}

// Times multiplies by a rational number, rounding half away from zero to the nano-dollar. It saturates instead of
// overflowing: a price that large is refused by any budget anyway.
func (m Money) Times(num, den int64) Money {
	if den == 0 {
		return 0
	}
	p := new(big.Int).Mul(big.NewInt(int64(m)), big.NewInt(num))
	d := big.NewInt(den)
	if d.Sign() < 0 {
		p.Neg(p)
		d.Neg(d)
	}
	half := new(big.Int).Rsh(d, 1)
	if p.Sign() < 0 {
		half.Neg(half)
	}
	q := p.Add(p, half).Quo(p, d)
	switch {
	case q.IsInt64():
		return Money(q.Int64())
	case q.Sign() > 0:
		return Money(1<<63 - 1)
	default:
		return Money(-1 << 63)
	}
}

// Monthly turns an hourly amount into a monthly one.
func (m Money) Monthly() Money { return m.Times(HoursPerMonth, 1) }

// Hourly turns a monthly amount into an hourly one.
func (m Money) Hourly() Money { return m.Times(1, HoursPerMonth) }

// Decimal is the exact amount without a currency sign and without needless zeros: "0.0832".
func (m Money) Decimal() string {
	sign, n := "", uint64(m)
	if m < 0 {
		sign, n = "-", uint64(-m)
	}
	s := fmt.Sprintf("%s%d.%09d", sign, n/uint64(Dollar), n%uint64(Dollar))
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// Format shows the amount rounded to the given number of decimals: "$60.74".
func (m Money) Format(decimals int) string {
	unit := Money(1)
	for range 9 - decimals {
		unit *= 10
	}
	r := m.Times(1, int64(unit))
	sign := ""
	if r < 0 {
		sign, r = "-", -r
	}
	if decimals == 0 {
		return fmt.Sprintf("%s$%d", sign, r)
	}
	scale := Dollar / unit
	return fmt.Sprintf("%s$%d.%0*d", sign, r/scale, decimals, r%scale)
}

// String shows cents, or four decimals for what costs less than ten cents, as hourly prices do.
func (m Money) String() string {
	if m != 0 && m < Dollar/10 && m > -Dollar/10 {
		return m.Format(4)
	}
	return m.Format(2)
}

// MarshalJSON writes an exact JSON number.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.Decimal()), nil }

// UnmarshalJSON reads a JSON number without going through a float.
func (m *Money) UnmarshalJSON(b []byte) error {
	v, err := ParseMoney(strings.Trim(string(b), `"`))
	if err == nil {
		*m = v
	}
	return err
}

func itoa(n int) string { return strconv.Itoa(n) }
