"""Nothing is lost when the binary is killed, or the network is bad, as boto3 sees it.

The binary dies by SIGKILL at one call of a deploy or of a destroy, before the account has seen the call or after it has
carried it out. Then the same user deploys again, which must end in exactly one of each, or destroys, which must leave the
account as it was. KILL_MATRIX=full takes every call at both moments; else a sample of them.
"""

import concurrent.futures
import itertools
import json
import os
import queue
import tempfile
import unittest
import urllib.request

from account import Moto, everything
from proxy import DELAY, DROP_REPLY, DROP_REQUEST, KILL_AFTER, KILL_BEFORE, THROTTLE, Proxy, at
from test_lifecycle import BINARY, IMAGE

NAME = "mortal"
DEPLOY = (BINARY, "deploy", NAME, *IMAGE, "--wait", "none", "--yes", "-o", "json")
DESTROY = (BINARY, "destroy", NAME, "--yes", "-o", "json")
FULL = os.environ.get("KILL_MATRIX") == "full"
WORKERS = 6  # a case mostly waits
BATCH = 120  # moto keeps some megabytes for each account until it is reset

# Exit codes of the contract of commands.
NOT_FOUND, PARTIAL = 5, 3


def amounts(account):
    return {kind: len(found) for kind, found in account.items()}


class Case(unittest.TestCase):
    """One account, one user, and what they do."""

    def __init__(self, proxy, home):
        super().__init__()
        proxy.reset()
        self.proxy, self.home = proxy, home
        self.before = everything(proxy)

    def run_to_end(self, command, rule=lambda call: None, codes=(0,)):
        done = self.proxy.run(command, self.home, rule)
        self.assertIn(done.returncode, codes, f"{' '.join(command[1:3])} after {done.met}:\n{done.stdout}\n{done.stderr}")
        return done

    def killed(self, command, number, moment):
        """Lets the command die at a call. Few calls come in the same order each time, so it may make one or two less."""
        done = self.run_to_end(command, at(number, moment), (0, -9))
        self.assertEqual(done.returncode == -9, len(done.met) == 1, f"{done.met}, and the end was {done.returncode}")
        return done.met

    def deploy(self, wanted):
        self.run_to_end(DEPLOY)
        self.assertEqual(amounts(everything(self.proxy)), wanted, "not exactly one of each")

    def destroy(self, codes=(0,)):
        done = self.run_to_end(DESTROY, codes=codes)
        self.assertEqual(everything(self.proxy), self.before, "the account is not as before")
        if done.returncode == 0:
            self.assertTrue(json.loads(done.stdout)["proven"])


class Kill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = Moto().__enter__()
        cls.addClassCleanup(cls.moto.__exit__)
        cls.proxies = queue.SimpleQueue()
        for _ in range(WORKERS):
            proxy = Proxy(cls.moto).__enter__()
            cls.addClassCleanup(proxy.__exit__)
            cls.proxies.put(proxy)
        with tempfile.TemporaryDirectory() as home:
            case = Case(proxy, home)
            cls.deploy_calls = len(case.run_to_end(DEPLOY).calls)
            cls.deployed = amounts(everything(proxy))
            cls.destroy_calls = len(case.run_to_end(DESTROY).calls)

    def points(self, calls, sample):
        """The calls at which to die, each with a moment: all with both, or a sample that alternates."""
        if FULL:
            return list(itertools.product(range(1, calls + 1), (KILL_BEFORE, KILL_AFTER)))
        stride = -(-calls // sample)
        return [(k, (KILL_BEFORE, KILL_AFTER)[n % 2]) for n, k in enumerate(range(stride // 2 + 1, calls + 1, stride))]

    def each(self, live, lives):
        """Runs cases at once, each in an account of its own. What a life returns is what it died of."""

        def one(args):
            proxy = self.proxies.get()
            try:
                with tempfile.TemporaryDirectory() as home:
                    return live(Case(proxy, home), *args)
            finally:
                self.proxies.put(proxy)

        deaths = 0
        for start in range(0, len(lives), BATCH):
            with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
                futures = [(args, pool.submit(one, args)) for args in lives[start : start + BATCH]]
            for args, future in futures:
                with self.subTest(args):
                    deaths += bool(future.result())
            urllib.request.urlopen(urllib.request.Request(self.moto.url + "/moto-api/reset", method="POST"), timeout=60).close()
        print(f"\n{len(lives)} lives, {deaths} of which were ended")
        self.assertGreater(deaths, len(lives) * 0.9)

    def test_deploy_after_a_killed_deploy_makes_exactly_one_of_each(self):
        def live(case, number, moment):
            met = case.killed(DEPLOY, number, moment)
            case.deploy(self.deployed)
            return met

        self.each(live, self.points(self.deploy_calls, 12))

    def test_destroy_after_a_killed_deploy_leaves_nothing(self):
        def live(case, number, moment):
            met = case.killed(DEPLOY, number, moment)
            case.destroy(codes=(0, NOT_FOUND))  # it may have died before it had anything to remember
            return met

        self.each(live, self.points(self.deploy_calls, 12))

    def test_destroy_after_a_killed_destroy_leaves_nothing(self):
        def live(case, number, moment):
            case.run_to_end(DEPLOY)
            met = case.killed(DESTROY, number, moment)
            case.destroy(codes=(0,) if met else (NOT_FOUND,))
            return met

        self.each(live, self.points(self.destroy_calls, 8))

    def test_deploy_after_a_killed_destroy_is_refused_or_whole(self):
        def live(case, number, moment):
            case.run_to_end(DEPLOY)
            met = case.killed(DESTROY, number, moment)
            seen = everything(case.proxy)
            again = case.run_to_end(DEPLOY, codes=(0, PARTIAL))
            if again.returncode == PARTIAL:
                case.assertEqual(everything(case.proxy), seen, "a deploy that was refused changed something")
            else:
                case.assertEqual(amounts(everything(case.proxy)), self.deployed, "not exactly one of each")
            case.destroy()
            return met

        self.each(live, self.points(self.destroy_calls, 4))

    def test_bad_network_is_survived(self):
        def bad(stride, fate, offset):
            return lambda call: fate if call.number % stride == offset else None

        def live(case, name, *rules):
            def rule(call):
                return next(filter(None, (r(call) for r in rules)), None)

            deployed = case.run_to_end(DEPLOY, rule)
            case.assertEqual(amounts(everything(case.proxy)), self.deployed, f"not exactly one of each after {deployed.met}")
            removed = case.run_to_end(DESTROY, rule)
            case.assertEqual(everything(case.proxy), case.before, f"the account is not as before after {removed.met}")
            return deployed.met

        offsets = range(7) if FULL else (2, 5)
        self.each(
            live,
            [(f"{fate} {n}", bad(7, fate, n)) for fate in (DROP_REQUEST, DROP_REPLY, THROTTLE) for n in offsets]
            + [("all", bad(11, DROP_REPLY, 3), bad(9, DROP_REQUEST, 4), bad(5, THROTTLE, 1), bad(4, DELAY, 2))],
        )


if __name__ == "__main__":
    unittest.main()
