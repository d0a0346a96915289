#!/usr/bin/env python3
"""What a stranger may send, and its cost: exit code 1 and the request's name when a request takes more instructions than ten polls
for each request that it is charged as.

The requests are those of Tests/RequestCosts (every header, query part and body part long, repeated, escaped, nested), on the way
through a gateway and a shard without sockets. Counted by callgrind, as in core.py, in some minutes. From the environment:
BENCHMARKS, and SHOWN (20), the number of the dearest that are printed.
"""

import os

import bench
import core
import servers

POLLS_MAX = 10
SHOWN = int(os.environ.get("SHOWN") or 20)


def main():
    with servers.scratch_folder("costs") as folder:
        found = list(core.counted_lines(folder, core.built_library(folder), ["costs", "counted"]))
    poll = found[0][1]
    costs = sorted(((count / poll / each["charged"], count, each) for each, count in found), key=lambda cost: -cost[0])
    print(f"bench-costs: a poll takes {poll:,.0f} instructions; the dearest of {len(found)} requests, in polls for each that "
          "it is charged as:")
    dear = [cost for cost in costs if cost[0] > POLLS_MAX]
    for polls, count, each in costs[:max(SHOWN, len(dear))]:
        word = "TOO DEAR" if polls > POLLS_MAX else ""
        print(f"  {polls:8.1f}  {count:12,.0f} instructions, charged as {each['charged']:4}  {each['name']}  {word}")
    print(f"bench-costs: {len(dear)} of them cost more than {POLLS_MAX} polls for each")
    return 1 if dear else 0


if __name__ == "__main__":
    bench.run(main, "bench-costs")
