"""Counts the AWS calls in a --log-file and the longest chain of calls that waited for one another.

Time is counted in the rounds of a Lockstep proxy, so that what is found is the order that the program wants, and not what a
busy machine made of it. A call waits for the earlier calls of its own resource, and for those calls of the resources it needs
that had ended when it began; where the plan says that an ID is enough, for those until that resource had its ID, and where it
says that something is needed late, only after its own create call. Calls that belong to no resource, made before the plan, wait
for those that had ended; and everything else waits for them.
"""

import bisect
import datetime
import json


def read(log, rounds):
    """The calls in the order of their begin, and when each resource had its ID, in rounds."""
    calls, created = [], {}
    with open(log, encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            at = datetime.datetime.fromisoformat(entry["time"]).timestamp()
            if entry.get("msg") == "aws":
                end = at + (entry["duration_ms"] + 1) / 1000  # the log has whole milliseconds only, cut off
                calls.append(entry | {"begin": bisect.bisect(rounds, at), "end": bisect.bisect(rounds, end)})
            elif entry.get("type") == "created":
                created.setdefault(entry["key"], bisect.bisect(rounds, at))
    calls.sort(key=lambda c: c["begin"])
    return calls, created


def longest_chain(calls, created, steps, weight=lambda call: 1):
    """The heaviest chain, as a list of calls; by default each weighs the same. steps are those of the plan."""
    needs = {s["key"]: set(s["needs"]) for s in steps}
    needs_id = {s["key"]: set(s.get("needs_id", ())) for s in steps}
    needs_late = {s["key"]: set(s.get("needs_late", ())) for s in steps}

    def waited_for(call, other):
        key, other_key = call.get("key", ""), other.get("key", "")
        if other["end"] > call["begin"]:
            return False
        if other_key in ("", key):
            return True
        if other_key not in needs.get(key, ()):
            return False
        if other_key in needs_late[key] and call["begin"] < created[key]:
            return False
        return other_key not in needs_id[key] or other["end"] <= created[other_key]

    def weigh(chain):
        return sum(map(weight, chain))

    # What moto lacks it answers with 500, which the SDK tries again, round after round; AWS has it.
    calls = [c for c in calls if "StatusCode: 500" not in c["error"]]
    chains = []
    for i, call in enumerate(calls):
        before = [chains[j] for j in range(i) if waited_for(call, calls[j])]
        chains.append(max(before, key=weigh, default=[]) + [call])
    return max(chains, key=weigh, default=[])


def words(call):
    return f"{call['service']} {call['operation']}" + (f" ({call['key']})" if call.get("key") else "")
