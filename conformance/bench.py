"""Prints the figures of the project as one table: python bench.py OUTPUT-OF-GO-TEST-BENCH

Whole processes come from the Go benchmarks, medians of their runs. Deploys and destroys are run here, against moto through a
proxy that answers no call sooner than AWS usually does. They stand beside what no order of the same calls, answered as late as
they were, could beat, which is their heaviest chain; and beside what a script needs that makes these calls one after another,
which is their sum.
"""

import collections
import functools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import calls
from account import Moto
from delays import usual
from lockstep import Lockstep
from product import BINARY, IMAGE
from proxy import Proxy

NAME = "timed"
RUNS = 3
DEPLOY = (BINARY, "deploy", NAME, *IMAGE, "--wait", "none", "--yes", "-o", "json")
DESTROY = (BINARY, "destroy", NAME, "--yes", "-o", "json")
# Runs a command and adds its largest memory, in KiB, to its standard error. A child counts the memory of the process that it
# was forked from, too, so that has to be a small one.
PEAK = """
import os, sys
child = os.fork() or os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def benchmarks(path):
    """The medians of each Go benchmark, by name and unit."""
    runs = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if found := re.match(r"(Benchmark\S*?)(?:-\d+)?\s+\d+\s+(.*)", line):
                words = found[2].split()
                for value, unit in zip(words[::2], words[1::2], strict=False):
                    runs.setdefault((found[1], unit), []).append(float(value))
    return {key: statistics.median(values) for key, values in runs.items()}


def shape(moto):
    """What waits for what in a deploy and in a destroy: a function from weights of calls to the heaviest chain."""
    with Lockstep(moto, quiet=1.0) as proxy, tempfile.TemporaryDirectory() as home:
        plan = json.loads(checked(proxy.run((BINARY, "plan", NAME, *IMAGE, "-o", "json"), home)).stdout)
        found = {}
        for what, command in (("deploy", DEPLOY), ("destroy", DESTROY)):
            log = os.path.join(home, what + ".jsonl")
            done = checked(proxy.run((*command, "--log-file", log), home))
            made, created = calls.read(log, done.rounds)
            steps = plan["steps"] if what == "deploy" else backwards(plan["steps"])
            found[what] = functools.partial(calls.longest_chain, named(made), created, steps)
        return found


def named(made):
    """Calls with a name each, by which they are known in another run: what, for which resource, the how manieth."""
    seen = collections.Counter()
    for call in made:
        name = call["service"], call["operation"], call.get("key")
        seen[name] += 1
        call["name"] = (*name, seen[name])
    return made


def backwards(steps):
    """The steps of a destroy: what a resource needs goes after it."""
    return [{"key": s["key"], "needs": [t["key"] for t in steps if s["key"] in t["needs"]]} for s in steps]


def peaked(command):
    return (sys.executable, "-S", "-E", "-c", PEAK, *command)


def peak_of(done):
    """The largest memory of a peaked command, in MB."""
    return int(done.stderr.split()[-1]) * 1024 / 1e6


def timed(moto, chains):
    """Deploys and destroys under delays: seconds in all, on the critical path, and of all calls together; and memory in MB."""
    figures, peaks = {"deploy": [], "destroy": []}, []
    with Proxy(moto) as proxy:
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as home:
                for what, command in (("deploy", DEPLOY), ("destroy", DESTROY)):
                    log = os.path.join(home, what + ".jsonl")
                    begun = time.monotonic()
                    done = checked(proxy.run(peaked((*command, "--log-file", log)), home, lambda call: usual(call.operation)))
                    took = time.monotonic() - begun
                    seconds = {c["name"]: c["duration_ms"] / 1000 for c in named(calls.read(log, [])[0])}
                    chain = chains[what](lambda call, seconds=seconds: seconds.get(call["name"], 0))
                    figures[what].append((took, sum(seconds.get(c["name"], 0) for c in chain), sum(seconds.values())))
                    peaks.append(peak_of(done))
            proxy.reset()
    return {what: sorted(runs, key=lambda r: r[0] / r[1])[RUNS // 2] for what, runs in figures.items()}, max(peaks)


def checked(done):
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(done.args)} ended with {done.returncode}:\n{done.stderr}")
    return done


def user_data():
    """Bytes of the largest user data, and which it is."""
    out = subprocess.run(
        ["go", "test", "-count=1", "-run", "UserDataFits", "-v", "./internal/host"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return int(re.search(r"largest: \S+ with (\d+) bytes", out)[1])


def rows(bench, moto):
    def command(name):
        return f"{bench[f'BenchmarkCommand/{name}', 'ns/op'] / 1e6:.0f} ms"

    def instead(name, other):
        return f"{bench[f'BenchmarkCommand/{other}', 'ns/op'] / bench[f'BenchmarkCommand/{name}', 'ns/op']:.1f} times as long"

    yield "`version`, whole process", command("version"), "an empty process", f"{bench['BenchmarkCommand/nothing', 'ns/op'] / 1e6:.0f} ms"
    yield "`help`", command("help"), "importing boto3 in Python, before any work", instead("help", "instead/boto3")
    for n in (0, 100, 1000, 10000):
        other = ("reading the same files in Python", instead(f"list/{n}", f"instead/list/{n}")) if n else ("", "")
        yield f"`list` of {n:,}", command(f"list/{n}"), *other
    chains = shape(moto)
    figures, peak = timed(moto, chains)
    for what in ("deploy", "destroy"):
        took, path, together = figures[what]
        yield f"AWS calls of a {what}, longest chain", f"{len(chains[what].args[0])}, {len(chains[what]())}", "", ""
        yield (
            f"{what}, answered as late as AWS does", f"{took:.1f} s, {took / path:.2f} times its critical path of {path:.1f} s",
            "the same calls one after another", f"{together:.1f} s, {together / took:.1f} times as long",
        )  # fmt: skip
    version = checked(subprocess.run(peaked((BINARY, "version")), capture_output=True, text=True))
    yield "peak memory of a deploy or destroy", f"{peak:.0f} MB", "of `version`", f"{peak_of(version):.0f} MB"
    yield "user data, the largest of all variants", f"{user_data():,} bytes", "what EC2 allows", "16,384 bytes"
    yield "stripped binary", f"{os.path.getsize(BINARY) / 1e6:.0f} MB", "", ""


if __name__ == "__main__":
    found = benchmarks(sys.argv[1])
    with Moto() as server:
        table = list(rows(found, server))
    print("\n| what | figure | beside it | |\n|---|---|---|---|")
    for row in table:
        print("| " + " | ".join(row) + " |")
