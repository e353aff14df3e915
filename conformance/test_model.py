"""Every request against the API model of its service, every policy against the Service Authorization Reference.

The requests are those of all scripts of testdata/script, as the SDK writes them in the pretend account, which knows every
operation; and those of whole lives, as the binary sends them over HTTP to moto.
"""

import base64
import collections
import copy
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import urllib.parse

import authorization
import model
from account import Moto
from product import BINARY, IMAGE
from proxy import Proxy

ROOT = pathlib.Path(__file__).parent.parent


def record(folder):
    """Runs the scripts and lets them write down what they ask."""
    done = subprocess.run(
        ["go", "test", "-count=1", "-run", "^TestScripts$", "./internal/cli"],
        cwd=ROOT, env=os.environ | {"RECORD_REQUESTS": folder}, text=True, stdout=subprocess.PIPE, timeout=1200,
    )  # fmt: skip
    if done.returncode != 0:
        raise AssertionError(f"the scripts failed:\n{done.stdout}")


def recorded(folder):
    """The requests that were written down, with the operation that the SDK meant. What somebody does in the console, for which
    the commands of the sandbox stand, is not asked by ours."""
    for file in sorted(pathlib.Path(folder).glob("*.jsonl")):
        command = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            command = entry.get("Command") or command
            r = entry["Request"]
            if r and command != "sandbox":
                headers = {name: values[0] for name, values in r["Header"].items()}
                yield r["Operation"], model.Request(r["Service"], r["Method"], r["URL"], headers, base64.b64decode(r["Body"] or ""))


class Recorded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        record(folder.name)
        cls.requests = list(recorded(folder.name))

    def test_every_request_obeys_the_model_of_its_service(self):
        complaints = collections.Counter()
        for meant, request in self.requests:
            operation, against = model.check(request)
            complaints.update(against + ([] if operation == meant else [f"{meant} is read as {operation}"]))
        print(f"\n{len(self.requests)} requests of {len({m for m, _ in self.requests})} operations checked")
        self.assertEqual(complaints, {})

    def test_every_operation_stands_in_the_table(self):
        asked = {(r.service, meant) for meant, r in self.requests}
        self.assertEqual(asked - {(service, operation) for service, operation, _, _ in authorization.operations()}, set())

    def test_what_is_wrong_is_found(self):
        """The judge itself: a request that obeys its model is changed in one place, and found out."""
        samples = {}
        for meant, request in self.requests:
            samples.setdefault((request.service, meant), request)
        for service, operation, change, complaint in (
            ("EC2", "RunInstances", form(MinCount=None), "needs MinCount"),
            ("EC2", "RunInstances", form(MinCount="one"), "is no integer"),
            ("EC2", "RunInstances", form(InstanceType="m7i.enormous"), "none of the"),
            ("EC2", "RunInstances", form(Colour="red"), "no member Colour"),
            ("EC2", "CreateVpc", form(Version="2014-01-01"), "version"),
            ("EC2", "CreateVpc", form(Action="MakeVpc"), "no operation"),
            ("EC2", "DescribeSpotPriceHistory", form(StartTime="yesterday"), "is no timestamp"),
            ("IAM", "CreateRole", form(RoleName="with space"), "does not match"),
            ("IAM", "CreateRole", form(RoleName="x" * 65), "65 characters"),
            ("SSM", "SendCommand", body(TimeoutSeconds=5), "as a number"),
            ("SSM", "SendCommand", body(TimeoutSeconds="30"), "no integer"),
            ("SSM", "PutParameter", body(Type="Secret"), "none of the"),
            ("SSM", "PutParameter", body(Name=None), "needs Name"),
            ("EFS", "CreateFileSystem", body(PerformanceMode="fast"), "none of the"),
            ("EFS", "CreateFileSystem", body(CreationToken=""), "0 characters"),
            ("EFS", "CreateMountTarget", body(SubnetId="subnet"), "characters"),
            ("EFS", "CreateMountTarget", body(Zone="a"), "no member Zone"),
            ("EFS", "DeleteFileSystem", path("/2015-02-01/systems/fs-1"), "no operation"),
            ("Pricing", "GetProducts", body(MaxResults=1000), "as a number"),
        ):
            with self.subTest(operation=operation, complaint=complaint):
                good = samples[service, operation]
                self.assertEqual(model.check(good)[1], [])
                self.assertIn(complaint, "; ".join(model.check(change(good))[1]))


def form(**fields):
    """Changes the fields of a form; None removes one."""

    def change(request):
        pairs = dict(urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True)) | fields
        return request._replace(body=urllib.parse.urlencode({k: v for k, v in pairs.items() if v is not None}).encode())

    return change


def body(**members):
    """Changes the members of a JSON body; None removes one."""

    def change(request):
        all = json.loads(request.body) | members
        return request._replace(body=json.dumps({k: v for k, v in all.items() if v is not None}).encode())

    return change


def path(other):
    return lambda request: request._replace(url=urllib.parse.urljoin(request.url, other))


class Wire(unittest.TestCase):
    """What goes over the wire, signed, in two whole lives."""

    @classmethod
    def setUpClass(cls):
        cls.moto = Moto().__enter__()
        cls.addClassCleanup(cls.moto.__exit__)
        cls.proxy = Listening(cls.moto).__enter__()
        cls.addClassCleanup(cls.proxy.__exit__)
        home = tempfile.TemporaryDirectory()
        cls.addClassCleanup(home.cleanup)
        for command in (
            ("validate", "judged", *IMAGE), ("offers", *IMAGE), ("images", *IMAGE),
            ("deploy", "judged", *IMAGE, "--wait", "instance", "--yes"), ("list", "--refresh"), ("list", "--remote"),
            ("inspect", "judged", "--refresh"), ("logs", "judged"),
            ("inspect", "judged", "--show-secrets", "--yes"), ("recover",), ("orphans", "--region", "all"),
            ("destroy", "judged", "--yes"),
            ("deploy", "other", *IMAGE, "--market", "on-demand", "--access", "tunnel", "--wait", "instance", "--yes"),
            ("destroy", "other", "--yes"),
        ):  # fmt: skip
            cls.proxy.run([BINARY, *command], home.name, timeout=600)

    def test_every_request_obeys_the_model_of_its_service(self):
        complaints = collections.Counter(c for request, _ in self.proxy.heard for c in model.check(request)[1])
        print(f"\n{len(self.proxy.heard)} requests over the wire checked")
        self.assertEqual(complaints, {})

    def test_moto_answered_what_the_table_says_that_it_was_asked(self):
        answered = {(r.service, model.check(r)[0]) for r, status in self.proxy.heard if status < 300}
        self.assertEqual({(service, operation) for service, operation, _, moto in authorization.operations() if moto} - answered, set())


SIGNED = {
    "ec2": "EC2", "elasticfilesystem": "EFS", "iam": "IAM", "ssm": "SSM", "sts": "STS", "pricing": "Pricing",
    "servicequotas": "Service Quotas",
}  # fmt: skip


class Listening(Proxy):
    """A proxy that keeps what it carries, and what moto answered."""

    def __init__(self, moto):
        super().__init__(moto)
        self.heard = []

    def forward(self, call, request, body):
        answer = super().forward(call, request, body)
        if call.service in SIGNED:
            headers = {k.title(): v for k, v in request.headers.items()}
            self.heard.append((model.Request(SIGNED[call.service], request.command, request.path, headers, body), answer[0]))
        return answer


class Policies(unittest.TestCase):
    """The policies against the Service Authorization Reference."""

    def setUp(self):
        self.policies = {
            file.stem: json.loads(file.read_text(encoding="utf-8")) for file in (ROOT / "internal/cloud/permission/testdata").glob("*.json")
        }

    def statements(self):
        return [s for documents in self.policies.values() for d in documents for s in d["Statement"]]

    def test_every_action_resource_and_condition_is_one_of_the_reference(self):
        lending = {f"{purpose}-{what}" for purpose in ("deploy", "destroy") for what in ("vpc", "file-system", "everything")}
        self.assertEqual(set(self.policies), {"deploy", "operate", "destroy", "all"} | lending)
        self.assertEqual([c for s in self.statements() for c in authorization.complaints(s)], [])

    def test_what_is_wrong_is_found(self):
        for change, complaint in (
            (lambda s: s["Action"].append("ec2:CreateVPC2"), LookupError),
            (lambda s: s["Action"].append("iam:CreateRole"), "none of the resources"),
            (lambda s: s["Resource"].append("arn:aws:ec2:*:*:network/*"), "no action has to do with"),
            (lambda s: s["Condition"].update(StringEquals={"ec2:Colour": ["red"]}), "does not know ec2:Colour"),
        ):
            statement = copy.deepcopy(next(s for s in self.statements() if s["Sid"] == "Own"))
            change(statement)
            with self.subTest(complaint=complaint):
                if complaint is LookupError:
                    self.assertRaises(LookupError, list, authorization.complaints(statement))
                else:
                    self.assertIn(complaint, "; ".join(authorization.complaints(statement)))

    def test_the_extract_for_the_tests_in_go_is_up_to_date(self):
        self.assertEqual(authorization.FILE.read_text(encoding="utf-8"), authorization.extract())


if __name__ == "__main__":
    unittest.main()
