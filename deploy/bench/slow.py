#!/usr/bin/env python3
"""Connections that are held and hardly used (crowd.py: idle, dripping heads and bodies, slow readers), COUNT of them (10,000),
while the seed's scenario of k6 books with USERS (300): what they cost those who book, and what memory.

In each of ROUNDS (1) the scenario runs with them and without, each time against a new cluster of SHARDS (4) and GATEWAYS, with the
journal in memory; every other round begins with the other. The crowd is there WARM_UP (12) seconds before k6, so that the gateway
closes connections that are too slow all the while; closed ones come again. FLAGS goes to the cluster.

Memory is what is resident of each process, from /proc twice a second, and what the kernel holds for TCP.

Exit code 0 when every check was kept, the p95 of every step is within 1.5 times of the run without them, and no process grew by more
than MEMORY_MAX (300) MB. Leaves bench/slow-clients.json.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

import bench
import servers

COUNT = bench.setting("COUNT", 10_000)
PAUSE = bench.setting("PAUSE", 3.0)
ROUNDS = bench.setting("ROUNDS", 1)
USERS = bench.setting("USERS", "300")
SHARDS = bench.setting("SHARDS", "4")
WARM_UP = bench.setting("WARM_UP", 12.0)
MEMORY_MAX = bench.setting("MEMORY_MAX", 300)
STEPS = ["checkConcertSchedules", "issueWaitingToken", "checkQueueInfo", "reserveSeats", "chargePoint", "payment"]
RATIO_GOAL = 1.5
HELD_PART = 0.9  # of COUNT, at every moment while k6 runs: a closed connection is away for a moment


class Crowd:
    """crowd.py beside us, and what it has told."""

    def __init__(self, port):
        command = [sys.executable, servers.HERE / "crowd.py", port, COUNT, PAUSE]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                                        preexec_fn=servers.end_with_parent)
        self.told = [{"open": 0, "opened": 0, "ended": {}}]
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    def wait_until_there(self):
        deadline = time.monotonic() + 120
        while self.told[-1]["open"] < COUNT * HELD_PART:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise servers.ServerError(f"only {self.told[-1]['open']} of {COUNT} connections are open")
            time.sleep(0.2)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join()


class Memory(threading.Thread):
    """The most that each process of a cluster has resident, and the kernel for TCP, in MB."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        members = cluster.members()
        self.pids = {f"{role} {index}": pid for role in ("gateway", "shard") for index, pid in enumerate(members[f"{role}s"])}
        self.most, self.over = self.now(), threading.Event()
        self.start()

    def now(self):
        found = {name: servers.resident_bytes(pid) / 1e6 for name, pid in self.pids.items()}
        sockets = pathlib.Path("/proc/net/sockstat").read_text().split("TCP:")[1].split("\n")[0].split()
        return found | {"kernel": int(sockets[sockets.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE") / 1e6}

    def run(self):
        while not self.over.wait(0.5):
            with contextlib.suppress(OSError):  # it ended meanwhile
                self.most = {name: max(mb, self.most[name]) for name, mb in self.now().items()}


def main():
    runs = {True: [], False: []}
    for number in range(ROUNDS):
        for has_crowd in (True, False) if number % 2 == 0 else (False, True):
            runs[has_crowd].append(measure(has_crowd))
            bench.say(f"round {number + 1} {'with' if has_crowd else 'without'} them: {runs[has_crowd][-1]['checksBroken']} checks broken")
    rows, problems = [], []
    for step in STEPS:
        mine, plain = (statistics.median(run["p95Milliseconds"][step] for run in runs[each]) for each in (True, False))
        rows.append((f"p95 of {step}, ms", f"{mine:.1f}", f"{plain:.1f}", f"{mine / plain:.2f}" if plain else ""))
        if not plain or mine / plain > RATIO_GOAL:
            problems.append(f"p95 of {step} is {mine:.1f} ms, without them {plain:.1f}")
    last, without = runs[True][-1], runs[False][-1]
    rows += [(f"memory of {name} at most, MB", f"{mb:.0f}", f"{without['memoryMost'][name]:.0f}", "") for name, mb in last["memoryMost"].items()]
    for run in runs[True] + runs[False]:
        if run["checksBroken"] or run["usersNotServed"] or not run["checksKept"]:
            problems.append(f"{run['checksBroken']} checks broken, {run['usersNotServed']} people not served")
        problems += [f"{name} grew by {most - run['memoryBefore'][name]:.0f} MB" for name, most in run["memoryMost"].items()
                     if most - run["memoryBefore"][name] > MEMORY_MAX and name != "kernel"]
    least = min(run["openLeast"] for run in runs[True])
    if least < HELD_PART * COUNT:
        problems.append(f"only {least} connections were open at one time")
    ended = {kind: sum(counts.values()) for kind, counts in last["crowd"]["ended"].items()}
    words = (f"{COUNT:,} connections were held, {least:,} at the least, and {last['crowd']['opened']:,} opened in all; closed: "
             + ", ".join(f"{count:,} {kind}" for kind, count in ended.items()) + ".")
    table = bench.Table(("", "with them", "without", "ratio"), rows)
    return bench.finish("slow-clients", {"with": runs[True], "without": runs[False]}, {"slow-clients": [table, words]}, problems)


def measure(has_crowd):
    """One run of the scenario against a cluster of its own."""
    settings = ["--set", "journal.kind=memory", *bench.FLAGS]
    with servers.Cluster(SHARDS, bench.GATEWAYS, settings) as cluster:
        memory = Memory(cluster)
        found = {"memoryBefore": dict(memory.most)}
        crowd = Crowd(cluster.port) if has_crowd else None
        try:
            if crowd:
                crowd.wait_until_there()
                time.sleep(WARM_UP)
            seen = len(crowd.told) if crowd else 0
            value = bench.k6(cluster, USERS)
            if crowd:
                found |= {"crowd": crowd.told[-1], "openLeast": min(each["open"] for each in crowd.told[seen:])}
        finally:
            if crowd:
                crowd.stop()
            memory.over.set()
            memory.join()
        gateways = servers.get_json(f"{cluster.operator_url}/stats", timeout=10)["gateways"]
    return found | {
        "memoryMost": memory.most,
        "gateways": [{"connections": each["connections"], "refusals": each["refusals"]} for each in gateways],
        "checksKept": value("checks", "passes"), "checksBroken": value("checks", "fails"),
        "usersNotServed": value("users_begun", "count") - value("users_served", "count"),
        "p95Milliseconds": {step: value(f"http_req_duration{{name:{step}}}", "p(95)") for step in STEPS},
    }


if __name__ == "__main__":
    bench.run(main, "slow-clients")
