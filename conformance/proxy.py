"""A proxy on loopback between the binary and moto that lets calls go wrong: it drops, delays or throttles them, or kills the
process that makes them.

Each proxy speaks for an account of its own, since moto keeps as many accounts apart as it is told numbers of. And it does what
EC2 does and moto does not: a call that is repeated with the same client token makes nothing and gets the same answer.
"""

import http.client
import http.server
import itertools
import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

from account import Moto

# What can become of a call.
KILL_BEFORE = "killed before"  # the process dies, and the account never sees the call
KILL_AFTER = "killed after"  # the account carries the call out, and the process dies before it hears of it
DROP_REQUEST = "request dropped"
DROP_REPLY = "reply dropped"
THROTTLE = "throttled"
DELAY = "delayed"  # by PAUSE; a number of seconds instead is when the answer comes at the earliest

PAUSE = 0.5  # seconds, of a delay
numbers = itertools.count(200_000_000_001)
clients_lock = threading.Lock()  # boto3 makes clients in one thread at a time


def at(number, fate):
    """The rule by which one call meets its fate."""
    return lambda call: fate if call.number == number else None


class Call:
    """One request, as far as it can be told apart from others."""

    def __init__(self, headers, method, path, body):
        scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("Authorization", ""))
        form = urllib.parse.parse_qs(body.decode("utf-8", "replace")) if b"Action=" in body else {}
        self.service = scope[1] if scope else "unsigned"
        self.operation = form.get("Action", [headers.get("X-Amz-Target", f"{method} {path}")])[0].rpartition(".")[2]
        self.token = form.get("ClientToken", [None])[0]
        self.tagged = {v[0] for k, v in form.items() if k.startswith("TagSpecification.") and k.endswith(".ResourceType")}  # kinds
        self.number = 0  # from 1, among those that count: not what moto lacks, on which nothing depends
        self.counts = self.service not in ("pricing", "servicequotas") and not self.operation.endswith("/backup-policy")

    def __str__(self):
        return f"{self.number}, {self.service} {self.operation}"


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):  # which a killed process leaves behind
            super().handle_error(request, client_address)


class Proxy(Moto):
    """Stands in for a moto server, with one account of it at a time."""

    def __init__(self, moto):
        self.moto = urllib.parse.urlsplit(moto.url).netloc
        self.clients = {}
        self.changed = threading.Condition()
        self.flying = 0
        self.reset()

    def __enter__(self):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def relay(self):
                proxy.relay(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = relay

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        return self

    def __exit__(self, *_):
        for client in self.clients.values():
            client.close()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=10)

    def client(self, service):
        with clients_lock:
            if service not in self.clients:
                self.clients[service] = super().client(service)
            return self.clients[service]

    def reset(self):
        """Begins an empty account."""
        self.account = str(next(numbers))
        self.answers = {}
        self.begin()

    def begin(self, rule=lambda call: None):
        """Counts calls from the start. The rule says what becomes of each; None is nothing special."""
        self.rule, self.calls, self.met, self.victim = rule, [], [], None

    def run(self, command, home, rule=lambda call: None, timeout=120):
        """Runs the binary to its end, which may be that it is killed, and until no call of it is on its way any more."""
        self.begin(rule)
        process = subprocess.Popen(
            command, env=self.environment(home), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with self.changed:
            self.victim = process
            self.changed.notify_all()
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            process.kill()
            process.communicate()
            with self.changed:
                self.changed.wait_for(lambda: self.flying == 0, timeout=30)
            calls, met = self.calls, self.met
            self.begin()
        done = subprocess.CompletedProcess(command, process.returncode, out, err)
        done.calls, done.met = calls, met
        return done

    def relay(self, request):
        """Carries one request there and back, as far as its fate lets it."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        call = Call(request.headers, request.command, request.path, body)
        with self.changed:
            self.flying += 1
            fate = None
            if call.counts:
                self.calls.append(call)
                call.number = len(self.calls)
                fate = self.rule(call)
            if fate:
                self.met.append(f"call {call}: {fate}")
        try:
            answer = self.meet(fate, call, request, body)
        finally:
            with self.changed:
                self.flying -= 1
                self.changed.notify_all()
        if answer is None:
            request.close_connection = True
            return
        status, headers, content = answer
        request.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def meet(self, fate, call, request, body):
        """Returns the answer that the caller gets to hear, if any."""
        if fate == KILL_BEFORE:
            return self.kill()
        if fate == DROP_REQUEST:
            return None
        if fate == THROTTLE:
            return throttled(call)
        if fate == DELAY:
            time.sleep(PAUSE)
        begun = time.monotonic()
        answer = self.forward(call, request, body)
        if isinstance(fate, float):
            time.sleep(max(0, begun + fate - time.monotonic()))
        if fate == KILL_AFTER:
            return self.kill()
        return None if fate == DROP_REPLY else answer

    def kill(self):
        with self.changed:
            self.changed.wait_for(lambda: self.victim, timeout=10)
            self.victim.send_signal(signal.SIGKILL)

    def forward(self, call, request, body):
        key = (call.operation, call.token)
        if call.token and key in self.answers:
            return self.answers[key]
        connection = http.client.HTTPConnection(self.moto, timeout=60)
        try:
            headers = {k: v for k, v in request.headers.items() if k.lower() != "connection"}
            connection.request(request.command, request.path, body, headers | {"x-moto-account-id": self.account})
            reply = connection.getresponse()
            answer = reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()
        if call.token and answer[0] == 200:
            self.answers[key] = answer
        return answer


def throttled(call):
    """What the service of the call answers when it is called too often, in its own protocol."""
    if call.service == "ec2":
        return 503, [("Content-Type", "text/xml")], (
            b"<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors>"
            b"<RequestID>0</RequestID></Response>"
        )  # fmt: skip
    if call.service in ("iam", "sts"):
        return 400, [("Content-Type", "text/xml")], (
            b"<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
            b"<RequestId>0</RequestId></ErrorResponse>"
        )  # fmt: skip
    text = json.dumps({"__type": "ThrottlingException", "ErrorCode": "ThrottlingException", "message": "Rate exceeded"})
    status = 429 if call.service == "elasticfilesystem" else 400
    return status, [("Content-Type", "application/json"), ("x-amzn-ErrorType", "ThrottlingException")], text.encode()
