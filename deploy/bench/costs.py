#!/usr/bin/env python3
"""What a stranger may send, and what it costs: exit code 1 and its name, if a request takes more instructions than ten polls for
each request that it is charged as.

The requests are those of Tests/RequestCosts (every header, query part and body part long, repeated, escaped, nested), and the way
they take is that of a gateway and a shard without sockets. Counted by callgrind, as core.py does, in some minutes. From the
environment: BENCHMARKS, and SHOWN (20), how many of the dearest are shown.
"""

import os
import pathlib
import sys

import core
import servers

POLLS_MAX = 10
SHOWN = int(os.environ.get("SHOWN") or 20)


def main():
    servers.stop_on_signals()
    if not pathlib.Path(core.BENCHMARKS).exists():
        raise servers.ServerError(f"no {core.BENCHMARKS}; `make bench-costs` builds it")
    with servers.scratch_folder("costs") as folder:
        library = core.built_library(folder)
        found = list(core.counted_lines(folder, library, ["costs", "counted"]))
    plain = found[0][1]
    costs = sorted(((count / plain / each["charged"], count, each) for each, count in found), key=lambda cost: -cost[0])
    print(f"bench-costs: a poll takes {plain:,.0f} instructions; the dearest of {len(found)} requests, in polls for each that "
          "it is charged as:")
    dear = [cost for cost in costs if cost[0] > POLLS_MAX]
    for polls, count, each in costs[:max(SHOWN, len(dear))]:
        word = "TOO DEAR" if polls > POLLS_MAX else ""
        print(f"  {polls:8.1f}  {count:12,.0f} instructions, charged as {each['charged']:4}  {each['name']}  {word}")
    print(f"bench-costs: {len(dear)} of them cost more than {POLLS_MAX} polls for each")
    return 1 if dear else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (servers.ServerError, OSError) as problem:
        sys.exit(f"bench-costs: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
