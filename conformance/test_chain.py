"""How many AWS calls a deploy makes, and how many of them wait for one another."""

import json
import os
import tempfile
import unittest

import calls
from account import Moto
from lockstep import Lockstep
from product import BINARY, IMAGE

NAME = "chained"
LIMIT = 12


class Chain(unittest.TestCase):
    def test_chain_of_calls_is_short(self):
        with Moto() as moto, Lockstep(moto) as proxy:
            for _ in range(3):  # a machine that is too busy to ask at once can only make the chain longer
                made, chain = self.deploy(proxy)
                if len(chain) <= LIMIT:
                    break
                proxy.reset()
        print(f"\n{len(made)} AWS calls, longest chain {len(chain)}: " + " > ".join(calls.words(c) for c in chain))
        self.assertLessEqual(len(chain), LIMIT)

    def deploy(self, proxy):
        with tempfile.TemporaryDirectory() as home:
            log = os.path.join(home, "calls.jsonl")
            plan = proxy.run((BINARY, "plan", NAME, *IMAGE, "-o", "json"), home)
            self.assertEqual(plan.returncode, 0, plan.stderr)
            done = proxy.run((BINARY, "deploy", NAME, *IMAGE, "--wait", "instance", "--yes", "-o", "json", "--log-file", log), home)
            self.assertEqual(done.returncode, 0, done.stderr)
            made, created = calls.read(log, done.rounds)
            return made, calls.longest_chain(made, created, json.loads(plan.stdout)["steps"])


if __name__ == "__main__":
    unittest.main()
