"""The built binary, as the tests run it, and what a deployment of the tier dev is made of."""

import os
import subprocess

BINARY = os.environ.get("GEUSEMAKER_BIN", os.path.join(os.path.dirname(__file__), "..", "bin", "geusemaker"))
IMAGE = ("--os-type", "amazon-linux-2023")  # moto knows no newer Ubuntu than 16.04
ONCE = {
    "network/vpc", "network/gateway", "network/routes", "network/s3", "access/host", "access/files", "storage/files", "storage/data",
    "identity/role", "identity/policy", "identity/profile", "secret/stack", "compute/instance",
}  # fmt: skip
IN_EACH_ZONE = ("network/public-", "network/private-", "storage/mount-")


def zones(keys):
    """The letters of the zones in which the keys of a deployment stand."""
    return sorted(key.removeprefix(prefix) for key in keys for prefix in IN_EACH_ZONE[:1] if key.startswith(prefix))


def keys_in(letters):
    """The keys of a deployment in the zones with these letters."""
    return ONCE | {prefix + letter for prefix in IN_EACH_ZONE for letter in letters}


def run(moto, home, *args, check=True, timeout=120):
    done = subprocess.run(
        [BINARY, *args], env=moto.environment(home), capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL
    )
    if check and done.returncode != 0:
        raise AssertionError(f"geusemaker {' '.join(args)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done
