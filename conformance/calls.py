"""Counts the AWS calls in a --log-file and the longest chain of calls that waited for one another.

A call waits for the earlier calls of its own resource, and for those calls of the resources it needs that had ended when
it began; where the plan says that an ID is enough, for those until that resource had its ID, and where it says that
something is needed late, only after its own create call. Calls that belong to no
resource, made before the plan, wait for one another when they do not overlap, but for those of the first moment, which are
asked at once; and everything else waits for them.
"""

import datetime
import json
import sys


AT_ONCE = 0.25  # seconds; a busy machine starts what is started together within this


def read(log):
    """The calls in the order of their begin, and when each resource had its ID."""
    calls, created = [], {}
    with open(log, encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            at = datetime.datetime.fromisoformat(entry["time"]).timestamp()
            if entry.get("msg") == "aws":
                calls.append(entry | {"begin": at, "end": at + entry["duration_ms"] / 1000})
            elif entry.get("type") == "created":
                created.setdefault(entry["key"], at)
    calls.sort(key=lambda c: c["begin"])
    return calls, created


def longest_chain(calls, created, steps):
    """The longest chain, as a list of calls. steps are those of the plan."""
    needs = {s["key"]: set(s["needs"]) for s in steps}
    needs_id = {s["key"]: set(s.get("needs_id", ())) for s in steps}
    needs_late = {s["key"]: set(s.get("needs_late", ())) for s in steps}

    def waited_for(call, other):
        key, other_key = call.get("key", ""), other.get("key", "")
        if other["end"] > call["begin"] or not key and call["begin"] - calls[0]["begin"] < AT_ONCE:
            return False
        if other_key in ("", key):
            return True
        if other_key not in needs.get(key, ()):
            return False
        if other_key in needs_late[key] and call["begin"] < created[key]:
            return False
        return other_key not in needs_id[key] or other["end"] <= created[other_key]

    chains = []
    for i, call in enumerate(calls):
        before = [chains[j] for j in range(i) if waited_for(call, calls[j])]
        chains.append(max(before, key=len, default=[]) + [call])
    return max(chains, key=len, default=[])


def words(call):
    return f'{call["service"]} {call["operation"]}' + (f' ({call["key"]})' if call.get("key") else "")


if __name__ == "__main__":
    log, plan = sys.argv[1:3]
    found, ids = read(log)
    with open(plan, encoding="utf-8") as document:
        chain = longest_chain(found, ids, json.load(document)["steps"])
    print(f"{len(found)} AWS calls, longest chain {len(chain)}:")
    for n, link in enumerate(chain, 1):
        print(f"  {n:2} {words(link)}")
