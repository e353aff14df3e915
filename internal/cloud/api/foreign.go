package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// sniffed is how much of an answer is looked at.
const sniffed = 512

var (
	errWebPage = errors.New("the answer is a web page")
	errForeign = errors.New("the answer is not of the form that AWS uses")
)

// refuseForeign stands next to the wire. The SDK reads what a proxy, a captive portal or another server sends with a
// success status as an answer in which everything is missing: as the proof that a resource is gone.
func refuseForeign(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || response.Body == nil {
		return out, metadata, err
	}
	body := bufio.NewReaderSize(response.Body, sniffed)
	start, readErr := body.Peek(sniffed)
	cut := readErr != nil && !errors.Is(readErr, io.EOF) // which comes up again when the rest is read
	if err := foreign(awsmiddleware.GetServiceID(ctx), response.StatusCode, bytes.ToLower(bytes.TrimSpace(start))); err != nil && !cut {
		_ = response.Body.Close()
		return out, metadata, &smithy.DeserializationError{Err: err}
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{body, response.Body}
	return out, metadata, nil
}

// foreign says why an answer that begins so is not one of the service. EC2, IAM and STS answer every success in XML; the
// others in JSON, or with nothing (the protocols in the services' models).
func foreign(service string, status int, start []byte) error {
	success := status >= http.StatusOK && status < http.StatusMultipleChoices
	switch {
	case bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html")):
		return errWebPage
	case !success:
		return nil // the SDK looks for an error code, and Classify for what has none
	case service == "EC2" || service == "IAM" || service == "STS":
		if !bytes.HasPrefix(start, []byte("<")) {
			return errForeign
		}
	case len(start) > 0 && start[0] != '{' && start[0] != '[':
		return errForeign
	}
	return nil
}
