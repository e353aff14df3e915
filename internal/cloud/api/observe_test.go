package api_test

import (
	"testing"
	"testing/synctest"
	"time"

	"geusemaker/internal/cloud/api"
	"geusemaker/internal/engine"
)

func TestEachCallIsObservedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{replies: []reply{ec2Error(503, "RequestLimitExceeded", ""), lostReply, vpcsRead, ec2Error(403, "UnauthorizedOperation", "no")}}
		cfg := w.config()
		var calls []api.Call
		api.Observe(&cfg, engine.Wall{}, func(c api.Call) { calls = append(calls, c) })
		start := time.Now()
		if err := describeVpcs(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		if err := createVpc(t.Context(), cfg); err == nil {
			t.Fatal("was allowed")
		}
		if len(calls) != 2 {
			t.Fatalf("%d calls observed, want 2: %v", len(calls), calls)
		}
		first, second := calls[0], calls[1]
		if first.Service != "EC2" || first.Operation != "DescribeVpcs" || first.Region != "eu-central-1" || first.Attempts != 3 ||
			first.Err != nil || first.Duration != took || took == 0 || !first.Time.Equal(start) {
			t.Errorf("first call is %+v", first)
		}
		if second.Operation != "CreateVpc" || second.Attempts != 1 || second.RequestID != "req-1" || api.Code(second.Err) != "UnauthorizedOperation" {
			t.Errorf("second call is %+v", second)
		}
	})
}
