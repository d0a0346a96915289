#!/usr/bin/env python3
"""Rolling restarts, one every few seconds, under load: failed requests, and the longest time of one.

    wrk, kept:   CONNECTIONS (64) connections kept alive; each goes to a new one when told `Connection: close`
    wrk, new:    as many, with a new connection for each request
    k6, seed:    the scenario k6/seed.js with USERS (300), a new connection for each request

Each runs for SECONDS (30; k6 for its own 20) against one cluster of SHARDS (4) and GATEWAYS (1) with a journal on the disk, while
`usher cluster restart --rolling` replaces all its processes every EVERY (5) seconds. A request has failed when its answer is not
the expected one (wrk: not 200; k6: a check), when its connection breaks, or when no answer comes within 2 s.

Exit code 0 when none has failed and every restart was done. Leaves bench/restarts.json.
"""

import os
import pathlib
import subprocess
import threading
import time

import bench
import servers

SECONDS = bench.setting("SECONDS", 30)
EVERY = bench.setting("EVERY", 5.0)
USERS = bench.setting("USERS", "300")
SHARDS = bench.setting("SHARDS", "4")
SETTINGS = ["--set", "journal.kind=sqlite", "--set", "booking.admissionsPerSecond=1000"]
LONGEST_RESTART = 120  # seconds; then something hangs


class Restarts(threading.Thread):
    """Rolling restarts until told to end, and what came of them."""

    def __init__(self, cluster):
        super().__init__()
        usher = pathlib.Path(os.environ.get("USHER") or servers.ROOT / ".build/release/usher")
        self.command = [usher, "cluster", "restart", "--rolling", "--state", cluster.state]
        self.over = threading.Event()
        self.seconds, self.problems = [], []

    def run(self):
        due = time.monotonic() + 1
        while not self.over.wait(max(0, due - time.monotonic())):
            begun = time.monotonic()
            due = begun + EVERY
            try:
                done = subprocess.run(self.command, capture_output=True, text=True, check=False, timeout=LONGEST_RESTART)
            except subprocess.TimeoutExpired:
                self.problems.append(f"a restart took longer than {LONGEST_RESTART} s")
                return
            self.seconds.append(time.monotonic() - begun)
            if done.returncode != 0:
                self.problems.append(f"a restart ended with {done.returncode}: {done.stderr.strip()}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def main():
    rows, problems = [], []
    loads = {"wrk, kept": lambda each: wrk(each, True), "wrk, new": lambda each: wrk(each, False), "k6, seed": k6_seed}
    with servers.Cluster(SHARDS, bench.GATEWAYS, SETTINGS, bench.DISK) as cluster:
        for name, load in loads.items():
            before = cluster.pids()
            with Restarts(cluster) as restarts:
                row = load(cluster)
            kept = set(before) & set(cluster.pids()) - {cluster.process.pid}
            rows.append(row | {"load": name, "restartSeconds": restarts.seconds})
            problems += [f"{name}: {problem}" for problem in restarts.problems]
            if restarts.seconds and kept:
                problems.append(f"{name}: processes {sorted(kept)} were not replaced")
            if row["failures"]:
                problems.append(f"{name}: requests failed: {row['failures']}")
            bench.say(f"{name}: {sum(row['failures'].values())} of {row['requests']} requests failed, {len(restarts.seconds)} restarts")
        stats = servers.get_json(f"{cluster.operator_url}/stats", timeout=10)
    problems += [f"books: {each}" for each in stats.get("discrepancies", [])]
    table = bench.Table(("load", "restarts", "each s", "requests", "a second", "failed", "p50 ms", "p99 ms", "longest ms"), [
        (row["load"], len(row["restartSeconds"]), f"{sum(row['restartSeconds']) / max(1, len(row['restartSeconds'])):.1f}",
         f"{row['requests']:,.0f}", f"{row['perSecond']:,.0f}", sum(row["failures"].values()),
         *(f"{row[key] / 1000:.1f}" for key in ("p50", "p99", "max"))) for row in rows])
    return bench.finish("restarts", {"loads": rows}, {"restarts": [table]}, problems)


def wrk(cluster, keeps_connections):
    run = bench.load(cluster, ["mixed"], SECONDS, keeps_connections)
    return run | {"failures": {name: run[name] for name in ("notOK", "broken", "timeouts") if run[name]}}


def k6_seed(cluster):
    value = bench.k6(cluster, USERS)
    failures = {"checks": value("checks", "fails"), "requests": value("http_req_failed", "passes"),
                "usersNotServed": value("users_begun", "count") - value("users_served", "count")}
    return {"requests": value("http_reqs", "count"), "perSecond": value("http_reqs", "rate"),
            "failures": {name: count for name, count in failures.items() if count},
            **{key: 1000 * value("http_req_duration", name) for key, name in (("p50", "med"), ("p99", "p(99)"), ("max", "max"))}}


if __name__ == "__main__":
    bench.run(main, "restart")
