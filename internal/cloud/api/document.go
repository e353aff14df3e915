package api

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
)

// SameDocument reports whether two policy documents say the same. IAM gives them URL-encoded (IAM API reference, GetRole), and
// AWS may lay them out anew.
func SameDocument(a, b string) bool {
	x, okX := decoded(a)
	y, okY := decoded(b)
	return okX && okY && reflect.DeepEqual(x, y)
}

func decoded(text string) (document any, ok bool) {
	if json.Unmarshal([]byte(text), &document) == nil {
		return document, true
	}
	plain, err := url.QueryUnescape(text)
	return document, err == nil && json.Unmarshal([]byte(plain), &document) == nil
}

// NameInARN is the name at the end of an ARN, without its path.
func NameInARN(arn string) string { return arn[strings.LastIndexAny(arn, "/:")+1:] }
