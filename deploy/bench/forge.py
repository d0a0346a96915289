#!/usr/bin/env python3
"""TOKENS (1,000,000) forged or altered tokens, as polls to a gateway of a cluster of its own. Fails when one is accepted.

Prints what each costs the gateway: the check alone, timed in a process by itself; and a whole request, by the kernel's
account of the gateway's CPU, beside the same request without any token, which is refused as well.

From the environment: TOKENS, and BENCHMARKS, the binary. Leaves bench/forge.json.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

import bench
import servers

BENCHMARKS = os.environ.get("BENCHMARKS") or servers.ROOT / ".build/release/benchmarks"
TOKENS = int(os.environ.get("TOKENS") or 1_000_000)
CHECK_NANOSECONDS_MAX = 1_500


def main():
    servers.stop_on_signals()
    if not pathlib.Path(BENCHMARKS).exists():
        raise servers.ServerError(f"no {BENCHMARKS}; `make forge` builds it")
    alone = forge(TOKENS // 10_000 * 10_000)
    # Few connections bring all requests.
    flags = ["--set", "journal.kind=memory", "--set", "gateway.requestsPerConnectionMax=1000000000"]
    with servers.Cluster("1", "1", flags) as cluster:
        live = forge(TOKENS, cluster.port, gateway_of(cluster))
    print(f"""
  {live["tokens"]} forged tokens to a gateway, {live["accepted"]} accepted
    {alone["checkNanoseconds"] / 1000:.2f} us of CPU   the check of one (of {alone["tokens"]} in a process alone, {alone["accepted"]} accepted)
    {live["gatewayNanoseconds"] / 1000:.2f} us of CPU   a whole request with one, in the gateway, sockets and refusal included
    {live["gatewayWithoutTokenNanoseconds"] / 1000:.2f} us of CPU   the same without a token
""")
    bench.write_record("forge.json", {"alone": alone, "live": live})
    problems = [f"{each['accepted']} tokens were accepted" for each in (alone, live) if each["accepted"]]
    if alone["checkNanoseconds"] > CHECK_NANOSECONDS_MAX:
        problems.append(f"a check took more than {CHECK_NANOSECONDS_MAX} ns")
    for problem in problems:
        print(f"forge: FAILED: {problem}")
    return 1 if problems else 0


def gateway_of(cluster):
    """The process id. The file appears a moment after the gateway serves."""
    path = pathlib.Path(cluster.state, "cluster.json")
    deadline = time.monotonic() + servers.READY_SECONDS_MAX
    while not path.exists():
        if time.monotonic() > deadline:
            raise servers.ServerError(f"no {path}")
        time.sleep(0.05)
    return json.loads(path.read_text())["gateways"][0]


def forge(*arguments):
    command = [str(each) for each in (BENCHMARKS, "forge", *arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except servers.ServerError as problem:
        sys.exit(f"forge: {problem}")
