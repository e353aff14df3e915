package api

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/smithy-go"
)

// Explain puts an error of a call, or of Dial, into the words of the person at the terminal: one line that says what
// happened, and what can be done about it. It never returns an empty message for an error.
func Explain(err error) (message string, hints []string) {
	if err == nil {
		return "", nil
	}
	if e, ok := errors.AsType[eloquent](err); ok {
		return e.Explain()
	}
	switch Classify(err) {
	case KindCredentials:
		return explainCredentials(err)
	case KindPermission:
		return explainDenied(err)
	case KindAccount:
		return explainAccount(err)
	case KindQuota:
		return explainQuota(err)
	case KindCapacity:
		return "AWS has no free capacity for this now: " + Message(err),
			[]string{"try again later, or allow more instance types, zones or the on-demand market"}
	case KindThrottled:
		return fmt.Sprintf("AWS asks to be called less often (%s%s%s)", operation(err), Code(err), attempts(err)),
			[]string{"run the same command again in a minute"}
	case KindNetwork:
		return explainNetwork(err)
	default:
		if Status(err) >= http.StatusInternalServerError {
			hints = []string{"something broke on the side of AWS: run the same command again"}
		}
		return plain(err), hints
	}
}

// eloquent is an error that has words of its own, such as one of a search that met many refusals.
type eloquent interface {
	error
	Explain() (message string, hints []string)
}

// operation names the operation that failed, before what it answered.
func operation(err error) string {
	if op, ok := errors.AsType[*smithy.OperationError](err); ok {
		return op.ServiceID + " " + op.OperationName + ": "
	}
	return ""
}

// plain is the text of an error without what the SDK wraps around the words of AWS.
func plain(err error) string {
	op, called := errors.AsType[*smithy.OperationError](err)
	answer, answered := errors.AsType[smithy.APIError](err)
	var text string
	switch {
	case answered:
		text = fmt.Sprintf("%s: %s", answer.ErrorCode(), answer.ErrorMessage())
	case called:
		text = op.Err.Error()
	}
	if !called {
		return oneLine(cmp.Or(text, err.Error()))
	}
	return oneLine(strings.Replace(err.Error(), op.Error(), op.ServiceID+" "+op.OperationName+": "+text, 1))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func attempts(err error) string {
	if e, ok := errors.AsType[*retry.MaxAttemptsError](err); ok {
		return fmt.Sprintf(", %d times", e.Attempt)
	}
	return ""
}

func explainCredentials(err error) (string, []string) {
	if e, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return fmt.Sprintf("there is no AWS profile %q", e.Profile),
			[]string{"`aws configure list-profiles` shows those that exist", "choose one with --profile or AWS_PROFILE"}
	}
	if e, ok := errors.AsType[config.SharedConfigLoadError](err); ok {
		return fmt.Sprintf("cannot read the AWS configuration file %s: %v", e.Filename, e.Err), []string{"correct or remove that file"}
	}
	if e, ok := errors.AsType[config.SharedConfigAssumeRoleError](err); ok {
		return fmt.Sprintf("the AWS profile %q cannot assume the role %s: %v", e.Profile, e.RoleARN, e.Err),
			[]string{"check source_profile and credential_source in ~/.aws/config"}
	}
	if _, ok := errors.AsType[config.AssumeRoleTokenProviderNotSetError](err); ok {
		return "the AWS profile assumes a role with a code of an MFA device, which cannot be asked for here",
			[]string{"get a session first, for example with `aws configure export-credentials --format env`, and set its variables"}
	}
	if e, ok := errors.AsType[*CredentialsError](err); ok {
		return explainProvider(e)
	}
	return explainRefused(err)
}

// explainProvider is for credentials that could not be had. The SDK types only some of these errors, the rest is known by
// its text (aws-sdk-go-v2, credentials/ssocreds, credentials/logincreds).
func explainProvider(e *CredentialsError) (string, []string) {
	if e.Nowhere {
		return "no AWS credentials found", []string{"run `aws configure`, or set AWS_PROFILE"}
	}
	text := e.Err.Error()
	login := "aws sso login --profile " + e.Profile
	switch {
	case strings.Contains(text, "login session") || strings.Contains(text, "login token") || strings.Contains(text, "reauthenticate"):
		login = "aws login --profile " + e.Profile
		fallthrough
	case strings.Contains(text, "SSO") || Code(e.Err) == "InvalidGrantException" || Code(e.Err) == "UnauthorizedException":
		return fmt.Sprintf("the login of AWS profile %s has expired", e.Profile), []string{"run `" + login + "`"}
	}
	if _, ok := errors.AsType[*processcreds.ProviderError](e.Err); ok {
		return fmt.Sprintf("the credential_process of AWS profile %s failed: %s", e.Profile, oneLine(text)),
			[]string{"run that command by hand to see why"}
	}
	if IsDenied(e.Err) {
		message, hints := explainDenied(e.Err)
		return fmt.Sprintf("AWS profile %s: %s", e.Profile, message), hints
	}
	return fmt.Sprintf("cannot get the AWS credentials of profile %s: %s", e.Profile, plain(e.Err)),
		[]string{"`aws sts get-caller-identity --profile " + e.Profile + "` shows whether the profile works"}
}

// explainRefused is for credentials that AWS does not accept.
func explainRefused(err error) (string, []string) {
	text := Message(err)
	skew := Code(err) == "RequestTimeTooSkewed" || strings.Contains(text, "ignature expired") ||
		strings.Contains(text, "not yet current") || strings.Contains(text, "lock skew")
	switch code := Code(err); {
	case skew:
		return "the clock of this computer is wrong, so AWS refuses its signatures",
			[]string{"set the clock: AWS allows a difference of five minutes"}
	case code == "ExpiredToken" || code == "ExpiredTokenException" || code == "RequestExpired":
		return "the AWS credentials have expired", []string{"log in again, then run the same command"}
	case code == "SignatureDoesNotMatch" || code == "InvalidSignatureException":
		return "AWS does not accept the secret access key", []string{"check the key with `aws configure`", "check the clock of this computer"}
	default:
		return fmt.Sprintf("AWS does not accept the credentials (%s)", code),
			[]string{"check the access key and the profile with `aws sts get-caller-identity`"}
	}
}

var (
	deniedPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`User: (\S+) is not authorized to perform: (\S+)(?: on resource: (\S+))?`)
	})
	policyPattern = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`explicit deny in an? ([a-z -]*(?:policy|boundary))`)
	})
)

// iamPrefix is how IAM names the services whose name in the SDK differs (Service authorization reference).
func iamPrefix(service string) string {
	switch service {
	case "efs":
		return "elasticfilesystem"
	case "service quotas":
		return "servicequotas"
	default:
		return service
	}
}

// explainDenied names the action, the resource and the policy, as far as the message tells (IAM user guide, "Access denied
// error messages").
func explainDenied(err error) (string, []string) {
	if Code(err) == "AuthFailure.ServiceLinkedRoleCreationNotPermitted" {
		return "the account has no service-linked role for spot instances, and you may not create it",
			[]string{"ask an administrator to run `aws iam create-service-linked-role --aws-service-name spot.amazonaws.com`", "or use the on-demand market"}
	}
	if e, ok := errors.AsType[*DeniedError](err); ok {
		return explainDetails(e)
	}
	text, encoded, isEncoded := strings.Cut(oneLine(Message(err)), encodedMark)
	action, resource, who := "", "", "you"
	if op, ok := errors.AsType[*smithy.OperationError](err); ok {
		service := strings.ToLower(op.ServiceID)
		action = iamPrefix(service) + ":" + op.OperationName
	}
	if m := deniedPattern().FindStringSubmatch(text); m != nil {
		who, action, resource = m[1], m[2], strings.TrimSuffix(m[3], ".")
	}
	if action == "" {
		return plain(err), nil
	}
	message := fmt.Sprintf("AWS does not allow %s to do %s", who, action)
	if resource != "" {
		message += " on " + resource
	}
	hints := []string{"ask an administrator of the account to allow " + action, "`geusemaker iam policy` prints all that has to be allowed"}
	if m := policyPattern().FindStringSubmatch(text); m != nil {
		message += ": a " + m[1] + " forbids it"
		hints = []string{"ask an administrator of the account about that " + m[1]} // allowing more does not help
	}
	if isEncoded {
		token, _, _ := strings.Cut(encoded, " ")
		hints = append(hints, "the reason in full: aws sts decode-authorization-message --encoded-message "+token)
	}
	return message, hints
}

// explainDetails is for a refusal of which AWS has told the details.
func explainDetails(e *DeniedError) (string, []string) {
	message := fmt.Sprintf("AWS does not allow %s to do %s", cmp.Or(e.Who, "you"), e.Action)
	if e.Resource != "" {
		message += " on " + e.Resource
	}
	if e.Forbidden {
		return message + ": a policy forbids it", []string{"ask an administrator of the account which policy denies " + e.Action}
	}
	return message + ": no policy allows it", []string{"ask an administrator of the account to allow " + e.Action}
}

func explainAccount(err error) (string, []string) {
	switch Code(err) {
	case "PendingVerification":
		return "AWS is still verifying this account", []string{"wait for the mail of AWS, which takes minutes to hours, and run the same command again"}
	case "OptInRequired", "SubscriptionRequiredException":
		return "this account is not enabled for that service or region: " + oneLine(Message(err)),
			[]string{"enable the region under Account in the AWS console, or choose another"}
	default:
		return "AWS has blocked this account: " + oneLine(Message(err)), []string{"contact AWS support"}
	}
}

func explainQuota(err error) (string, []string) {
	q, _ := quotaOf(Code(err))
	message := fmt.Sprintf("the account's quota of %s is used up: %s", q.name, oneLine(Message(err)))
	link := "https://console.aws.amazon.com/servicequotas/home/services/" + q.service + "/quotas"
	if q.code != "" {
		link += "/" + q.code
	}
	return message, []string{"ask AWS for more: " + link, "or delete what is not needed any more, or use another region"}
}

func explainNetwork(err error) (string, []string) {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("the host name %s is not known", e.Name),
			[]string{"check the internet connection", "check that the region exists and offers the service"}
	}
	host := "AWS"
	if op, ok := errors.AsType[*smithy.OperationError](err); ok {
		host = "the endpoint of " + op.ServiceID
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		if u, parseErr := url.Parse(e.URL); parseErr == nil && u.Host != "" {
			host = u.Host
		}
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok || isGarbage(err) {
		return host + " answered something that AWS would not",
			[]string{"check for a proxy or a captive portal between here and AWS", "check AWS_ENDPOINT_URL, if it is set"}
	}
	hints := []string{"check the internet connection, HTTPS_PROXY and AWS_ENDPOINT_URL, then run the same command again"}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return host + " did not answer in time", hints
	}
	return fmt.Sprintf("cannot reach %s: %s", host, cause(err)), hints
}

// cause is the innermost error: what the operating system says.
func cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
