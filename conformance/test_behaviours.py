"""The list of behaviours of AWS (internal/cloud/opinion) is asked of moto, as `make test` asks it of the pretend account."""

import gzip
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import moto
from account import REGION, Moto

STRICT = {  # moto's own checks, which are off by default
    "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
    "MOTO_ENABLE_AMI_VALIDATION": "true",
    "MOTO_ENABLE_KEYPAIR_VALIDATION": "true",
}
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def one_image(folder):
    """The path of a file with the one image that the list launches. moto gives every account all of its 1,300 otherwise, and
    each behaviour has an account of its own."""
    latest = pathlib.Path(moto.__file__).parent / "ec2" / "resources" / "latest_amis" / f"{REGION}.json.gz"
    images = [
        i for i in json.loads(gzip.decompress(latest.read_bytes())) if re.fullmatch(r"al2023-ami-2023\..*-kernel-6\.18-x86_64", i["name"])
    ]
    path = pathlib.Path(folder) / "images.json"
    path.write_text(json.dumps(images[:1]), encoding="utf-8")
    return str(path)


class Behaviours(unittest.TestCase):
    def test_moto_and_the_pretend_account_answer_as_the_list_says(self):
        with tempfile.TemporaryDirectory() as folder, Moto(MOTO_AMIS_PATH=one_image(folder), **STRICT) as server:
            done = subprocess.run(
                ["go", "test", "-count=1", "-v", "-run", "TestBehaviours", "./internal/cloud/opinion"],
                cwd=ROOT, env=os.environ | {"GEUSEMAKER_MOTO": server.url}, capture_output=True, text=True, timeout=600,
            )  # fmt: skip
        wrong = "\n".join(line for line in done.stdout.splitlines() if "answered" in line or line.startswith("    --- FAIL"))
        self.assertEqual(done.returncode, 0, wrong or done.stdout[-4000:] + done.stderr[-4000:])
        asked = {judge: set(re.findall(rf"--- PASS: TestBehaviours/{judge}/(\S+)", done.stdout)) for judge in ("moto", "sandbox")}
        print(f"\n{len(asked['moto'])} behaviours were asked of moto and of the pretend account")
        self.assertEqual(asked["moto"], asked["sandbox"], "one was asked less than the other")
        self.assertGreater(len(asked["moto"]), 60)


if __name__ == "__main__":
    unittest.main()
