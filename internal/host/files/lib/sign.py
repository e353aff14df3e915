# Prints the headers, as curl configuration, that sign a request of Systems Manager: sign.py REGION HOST BODY, with the role's
# credentials as JSON on standard input, so that no secret is an argument of a process. Signature Version 4, AWS General
# Reference. curl signs all headers only from 7.86 on. Python is there because cloud-init is written in it, on Amazon
# Linux 2 in version 2.
import hashlib
import hmac
import json
import sys
import time

region, host, body = sys.argv[1:]
role = json.load(sys.stdin)
now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
scope = [now[:8], region, "ssm", "aws4_request"]
headers = [
    ("content-type", "application/x-amz-json-1.1"),
    ("host", host),
    ("x-amz-date", now),
    ("x-amz-security-token", role["Token"]),
    ("x-amz-target", "AmazonSSM.GetParameter"),
]
names = ";".join(name for name, _ in headers)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


request = "\n".join(["POST", "/", ""] + ["%s:%s" % header for header in headers] + ["", names, digest(body)])
key = ("AWS4" + role["SecretAccessKey"]).encode()
for part in scope:
    key = hmac.new(key, part.encode(), hashlib.sha256).digest()
text = "\n".join(["AWS4-HMAC-SHA256", now, "/".join(scope), digest(request)])
credential = "%s/%s" % (role["AccessKeyId"], "/".join(scope))
signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
headers.append(("authorization", "AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=%s, Signature=%s" % (credential, names, signature)))
for header in headers:
    print('header = "%s: %s"' % header)
