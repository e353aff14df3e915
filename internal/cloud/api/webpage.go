package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// sniffed is how much of an answer is looked at.
const sniffed = 512

var errWebPage = errors.New("the answer is a web page")

// refuseWebPage stands next to the wire. The SDK reads the page of a proxy or a captive portal that comes with status 200
// as an answer in which everything is missing: as the proof that a resource is gone.
func refuseWebPage(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.Body == nil {
		return out, metadata, err
	}
	body := bufio.NewReaderSize(response.Body, sniffed)
	start, _ := body.Peek(sniffed) // an error comes up again when the rest is read
	start = bytes.ToLower(bytes.TrimSpace(start))
	if bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html")) {
		_ = response.Body.Close()
		return out, metadata, &smithy.DeserializationError{Err: errWebPage}
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{body, response.Body}
	return out, metadata, nil
}
