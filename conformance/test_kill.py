"""Nothing is lost when the binary is killed, or the network is bad, as boto3 sees it.

The binary dies by SIGKILL at one call of a deploy or of a destroy, before the account has seen the call or after it has
carried it out. Then the same user deploys again, or destroys. KILL_MATRIX=full takes every call at both moments, otherwise a
sample of them.
"""

import concurrent.futures
import itertools
import json
import os
import queue
import tempfile
import time
import unittest

from account import Moto, everything
from product import BINARY, IMAGE
from proxy import DELAY, DROP_REPLY, DROP_REQUEST, KILL_AFTER, KILL_BEFORE, THROTTLE, Proxy, at

NAME = "mortal"
DEPLOY = (BINARY, "deploy", NAME, *IMAGE, "--wait", "none", "--yes", "-o", "json")
DESTROY = (BINARY, "destroy", NAME, "--yes", "-o", "json")
FULL = os.environ.get("KILL_MATRIX") == "full"
WORKERS = 16  # a life mostly waits

# Exit codes of the contract of commands.
FAILURE, NOT_FOUND, PARTIAL = 1, 5, 3

# A second one is NoSuchEntity in IAM, and breaks moto.
UNREPEATABLE = "RemoveRoleFromInstanceProfile"


def amounts(account):
    return {kind: len(found) for kind, found in account.items()}


def bad(*weather):
    """The rule by which every so many calls meet a fate. The first that applies wins."""

    def rule(call):
        for stride, offset, fate in weather:
            if call.number % stride == offset and not (fate == DROP_REPLY and call.operation == UNREPEATABLE):
                return fate
        return None

    return rule


class Case(unittest.TestCase):
    """One user with one account, and what they do."""

    def __init__(self, proxy, home):
        super().__init__()
        self.proxy, self.home = proxy, home
        self.before = everything(proxy)

    def run_to_end(self, command, rule=lambda call: None, codes=(0,)):
        done = self.proxy.run(command, self.home, rule)
        self.assertIn(done.returncode, codes, f"{' '.join(command[1:3])} after {done.met}:\n{done.stdout}\n{done.stderr}")
        return done

    def killed(self, command, number, moment):
        """Lets the command die at a call, and returns what befell it. It may end before that call: how often something is
        looked at differs from time to time."""
        done = self.run_to_end(command, at(number, moment), (0, -9))
        self.assertEqual(done.returncode == -9, len(done.met) == 1, f"{done.met}, and the end was {done.returncode}")
        return done.met

    def check_whole(self, wanted):
        self.assertEqual(amounts(everything(self.proxy)), wanted, "not exactly one of each")

    def destroy(self, rule=lambda call: None, codes=(0,)):
        done = self.run_to_end(DESTROY, rule, codes)
        if done.returncode == PARTIAL:  # it says that something is left: the same command goes on
            done = self.run_to_end(DESTROY)
        self.assertEqual(everything(self.proxy), self.before, f"the account is not as before, after {done.met}")
        if done.returncode == 0:
            self.assertTrue(json.loads(done.stdout)["proven"])


class Kill(unittest.TestCase):
    """Begins all lives at once, in as many accounts as there are workers; each test judges some."""

    @classmethod
    def setUpClass(cls):
        moto = Moto().__enter__()
        cls.addClassCleanup(moto.__exit__)
        cls.proxies = queue.SimpleQueue()
        for _ in range(WORKERS):
            proxy = Proxy(moto).__enter__()
            cls.addClassCleanup(proxy.__exit__)
            cls.proxies.put(proxy)
        with tempfile.TemporaryDirectory() as home:
            case = Case(proxy, home)
            deploy_calls = len(case.run_to_end(DEPLOY).calls)
            cls.deployed = amounts(everything(proxy))
            destroy_calls = len(case.run_to_end(DESTROY).calls)
        weathers = [((7, n, fate),) for fate in (DROP_REPLY, DROP_REQUEST, THROTTLE) for n in (range(7) if FULL else (2,))]
        if FULL:  # this one takes more than a minute
            weathers.append(((11, 3, DROP_REPLY), (9, 4, DROP_REQUEST), (5, 1, THROTTLE), (4, 2, DELAY)))
        cls.begun = time.monotonic()
        pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
        cls.addClassCleanup(pool.shutdown, cancel_futures=True)
        cls.lives = {
            live: [(args, pool.submit(cls.one, live, args)) for args in all_args]
            for live, all_args in {
                cls.bad_network: weathers,
                cls.killed_destroy: points(destroy_calls, 6),
                cls.killed_deploy: points(deploy_calls, 12, ("deploy", "destroy")),
            }.items()
        }

    @classmethod
    def one(cls, live, args):
        """Lives a life. It ends with the account as it was, which serves for another then."""
        proxy = cls.proxies.get()
        try:
            with tempfile.TemporaryDirectory() as home:
                return live(Case(proxy, home), *args)
        except BaseException:
            proxy.reset()
            raise
        finally:
            cls.proxies.put(proxy)

    @classmethod
    def killed_deploy(cls, case, number, moment, then):
        met = case.killed(DEPLOY, number, moment)
        if then == "deploy":
            case.run_to_end(DEPLOY)
            case.check_whole(cls.deployed)
        case.destroy(codes=(0, NOT_FOUND))  # it may have died before it had anything to remember
        return met

    @classmethod
    def killed_destroy(cls, case, number, moment):
        case.run_to_end(DEPLOY)
        met = case.killed(DESTROY, number, moment)
        if not met:
            case.destroy(codes=(NOT_FOUND,))
            return met
        seen = everything(case.proxy)
        if case.run_to_end(DEPLOY, codes=(0, PARTIAL)).returncode == PARTIAL:
            case.assertEqual(everything(case.proxy), seen, "a deploy that was refused changed something")
        else:
            case.check_whole(cls.deployed)
        case.destroy()
        return met

    @classmethod
    def bad_network(cls, case, *weather):
        """One kind of trouble is survived at once. In all kinds of it together a deploy may fail: then it has removed all that it
        made, or says that something is left, and in the end the same command succeeds."""
        met, storm = [], len(weather) > 1
        for _ in range(4 if storm else 1):
            done = case.run_to_end(DEPLOY, bad(*weather), (0, FAILURE, PARTIAL) if storm else (0,))
            met += done.met
            if done.returncode == 0:
                break
            if done.returncode == FAILURE:
                case.assertEqual(everything(case.proxy), case.before, "a deploy that was rolled back left something")
        else:
            case.run_to_end(DEPLOY)
        case.check_whole(cls.deployed)
        case.destroy(bad(*weather), (0, PARTIAL) if storm else (0,))
        return met

    def judge(self, live):
        """Waits for the lives of a kind and judges each. What a life returns is what befell it."""
        struck = 0
        for args, future in self.lives[live]:
            with self.subTest(args):
                struck += bool(future.result())
        print(f"\n{len(self.lives[live])} lives, {struck} of which were struck, {time.monotonic() - self.begun:.0f} s after all began")
        self.assertGreater(struck, len(self.lives[live]) * 0.9)

    def test_a_killed_deploy_can_be_finished_or_removed(self):
        self.judge(self.killed_deploy)

    def test_a_killed_destroy_refuses_a_deploy_and_can_be_finished(self):
        self.judge(self.killed_destroy)

    def test_calls_that_are_dropped_throttled_or_slow_are_survived(self):
        self.judge(self.bad_network)


def points(calls, sample, *more):
    """The calls at which to die, each with a moment and whatever more there is to choose: all, or a sample that takes turns."""
    choices = list(itertools.product((KILL_BEFORE, KILL_AFTER), *more))
    if FULL:
        return [(k, *c) for k in range(1, calls + 1) for c in choices]
    stride = -(-calls // sample)
    return [(k, *choices[n % len(choices)]) for n, k in enumerate(range(stride // 2 + 1, calls + 1, stride))]


if __name__ == "__main__":
    unittest.main()
