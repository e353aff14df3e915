"""The built binary, as the tests run it, and what a deployment of the tier dev is made of."""

import os
import subprocess

BINARY = os.environ.get("GEUSEMAKER_BIN", os.path.join(os.path.dirname(__file__), "..", "bin", "geusemaker"))
IMAGE = ("--os-type", "amazon-linux-2023")  # moto knows no newer Ubuntu than 16.04
KEYS = {
    "network/vpc", "network/gateway", "network/routes", "network/s3", "network/public-a", "network/public-b", "network/private-a",
    "network/private-b", "access/host", "access/files", "storage/files", "storage/mount-a", "storage/mount-b", "storage/data",
    "identity/role", "identity/policy", "identity/profile", "secret/stack", "compute/instance",
}  # fmt: skip


def run(moto, home, *args, check=True, timeout=120):
    done = subprocess.run(
        [BINARY, *args], env=moto.environment(home), capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
    )
    if check and done.returncode != 0:
        raise AssertionError(f"geusemaker {' '.join(args)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done
