package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// answers are what a server can say that is not the AWS that somebody meant to reach.
var answers = map[string]struct {
	status int
	kind   string
	body   string
	ahead  time.Duration // of our clock
}{
	"portal":  {status: http.StatusOK, kind: "text/html", body: "<html><body>Please log in to the hotel's network</body></html>"},
	"text":    {status: http.StatusOK, kind: "text/plain", body: "hello there"},
	"nothing": {status: http.StatusOK, kind: "text/plain"},
	"json":    {status: http.StatusOK, kind: "application/json", body: `{"a":1}`},
	"proxy":   {status: http.StatusForbidden, kind: "text/html", body: "<html>forbidden by the proxy</html>"},
	"expired": {
		status: http.StatusForbidden, kind: "text/xml",
		body: "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>",
	},
	"well": {status: http.StatusOK, kind: "text/xml", body: caller},
	"fast": {status: http.StatusOK, kind: "text/xml", body: caller, ahead: 10 * time.Minute},
}

const caller = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/ann</Arn><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`

// serve starts a server that answers everything in the same way and makes it the endpoint of AWS: serve portal.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve ANSWER")
	}
	answer, ok := answers[args[0]]
	if !ok {
		names := []string{}
		for name := range answers {
			names = append(names, name)
		}
		slices.Sort(names)
		ts.Fatalf("serve: use one of %s", strings.Join(names, ", "))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", answer.kind)
		w.Header().Set("Date", time.Now().Add(answer.ahead).UTC().Format(http.TimeFormat))
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	ts.Defer(server.Close)
	ts.Setenv("AWS_ENDPOINT_URL", server.URL)
}
