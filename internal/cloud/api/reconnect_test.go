package api_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/cloud/api"
)

// TestANetworkThatGoesAwayIsWaitedFor lets connections fail before and after AWS was reached.
func TestANetworkThatGoesAwayIsWaitedFor(t *testing.T) {
	const away = 40
	for _, test := range []struct {
		name  string
		wire  []reply
		calls int
		ok    bool
		sent  int // of the last call
		least time.Duration
		most  time.Duration
		told  int
	}{
		{"it was never there", []reply{noRoute}, 1, false, 5, 0, time.Minute, 1},
		{"it comes back", slices.Concat([]reply{vpcsRead}, slices.Repeat([]reply{noRoute}, 10), []reply{vpcMade}), 2, true, 11, 30 * time.Second, time.Minute, 1},
		{"it comes back twice", slices.Concat([]reply{vpcsRead, noRoute, vpcsRead, noRoute, vpcMade}), 3, true, 2, 0, 5 * time.Second, 2},
		{"it stays away", slices.Concat([]reply{vpcsRead}, slices.Repeat([]reply{noRoute}, away)), 2, false, 27, 2 * time.Minute, 3 * time.Minute, 1},
		{"what is lost on the way is not waited for", []reply{vpcsRead, lostReply, vpcMade}, 2, false, 1, 0, time.Second, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, told := &wire{replies: test.wire}, []string(nil)
				cfg := w.config()
				api.Reconnect(&cfg, func(s string) { told = append(told, s) })
				for range test.calls - 1 {
					if err := describeVpcs(t.Context(), cfg); err != nil {
						t.Fatal(err)
					}
				}
				before, start := w.sent, time.Now()
				err := createVpc(t.Context(), cfg)
				if took := time.Since(start); took < test.least || took > test.most {
					t.Errorf("took %v, want %v to %v", took, test.least, test.most)
				}
				if (err == nil) != test.ok || w.sent-before != test.sent {
					t.Errorf("sent %d times, want %d: %v", w.sent-before, test.sent, err)
				}
				if len(told) != test.told || test.told > 0 && !strings.Contains(told[0], "cannot reach the endpoint of EC2 (dial tcp: connection refused); trying again") {
					t.Errorf("told %q, want %d", told, test.told)
				}
			})
		})
	}
}
