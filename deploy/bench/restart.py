#!/usr/bin/env python3
"""Rolling restarts, one every few seconds, under load: how many requests failed, and the longest time one took.

    wrk, kept:   CONNECTIONS (64) connections kept alive; each goes to a new one when told `Connection: close`
    wrk, new:    as many, with a new connection for each request
    k6, seed:    the scenario k6/seed.js with USERS (300), a new connection for each request

Each runs for SECONDS (30; k6 for its own 20) against one cluster of SHARDS (4) and GATEWAYS (2) with a journal on the
disk, while `usher cluster restart --rolling` replaces all its processes every EVERY (5) seconds. A request has failed when
its answer is not what it should be (wrk: not 200; k6: a check), when its connection breaks, or when no answer comes in 2 s.

Exit code 0 when none has failed and every restart was done. Leaves bench/restarts.json.
"""

import json
import os
import pathlib
import subprocess
import threading
import time

import bench
import servers

SECONDS = int(os.environ.get("SECONDS") or 30)
EVERY = float(os.environ.get("EVERY") or 5)
CONNECTIONS = int(os.environ.get("CONNECTIONS") or 64)
USERS = os.environ.get("USERS") or "300"
SHARDS = os.environ.get("SHARDS") or "4"
GATEWAYS = os.environ.get("GATEWAYS") or "2"
DISK = os.environ.get("DISK") or "/var/tmp"
FLAGS = ["--set", "journal.kind=sqlite", "--set", "booking.admissionsPerSecond=1000"]
LONGEST_RESTART = 120  # seconds; then something hangs


class Restarts(threading.Thread):
    """Rolling restarts until told to end, and what came of them."""

    def __init__(self, cluster):
        super().__init__()
        self.usher = pathlib.Path(os.environ.get("USHER") or servers.ROOT / ".build/release/usher")
        self.state = cluster.state
        self.over = threading.Event()
        self.seconds = []
        self.problems = []

    def run(self):
        due = time.monotonic() + 1
        while not self.over.wait(max(0, due - time.monotonic())):
            begun = time.monotonic()
            due = begun + EVERY
            command = [self.usher, "cluster", "restart", "--rolling", "--state", self.state]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_RESTART)
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
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    rows = []
    with servers.Cluster(SHARDS, GATEWAYS, FLAGS, parent=DISK) as cluster:
        for name, load in (("wrk, kept", wrk_kept), ("wrk, new", wrk_new), ("k6, seed", k6_seed)):
            before = cluster.pids()
            with Restarts(cluster) as restarts:
                row = load(cluster)
            kept = set(before) & set(cluster.pids())
            row |= {"load": name, "restarts": len(restarts.seconds), "restartSeconds": restarts.seconds}
            row["problems"] = restarts.problems
            if len(restarts.seconds) > 0 and kept != {cluster.process.pid}:
                row["problems"].append(f"processes {sorted(kept - {cluster.process.pid})} were not replaced")
            rows.append(row)
            print(f"restart: {name}: {row['failed']} of {row['requests']} requests failed, "
                  f"{row['restarts']} restarts", flush=True)
        stats = servers.get_json(f"{cluster.operator_url}/stats", timeout=10)
    print(table(rows))
    problems = [f"{row['load']}: {problem}" for row in rows for problem in row["problems"]]
    problems += [f"{row['load']}: {row['failed']} requests failed: {row['failures']}" for row in rows if row["failed"]]
    problems += [f"books: {each}" for each in stats.get("discrepancies", [])]
    bench.write_record("restarts.json", {
        "settings": {"seconds": SECONDS, "every": EVERY, "connections": CONNECTIONS, "users": USERS, "shards": SHARDS,
                     "gateways": GATEWAYS},
        "valid": not problems, "problems": problems, "loads": rows,
    })
    for problem in problems:
        print(f"restart: FAILED: {problem}")
    return 1 if problems else 0


def wrk_kept(cluster):
    return wrk(cluster, "kept")


def wrk_new(cluster):
    return wrk(cluster, "new")


def wrk(cluster, connections):
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--latency", "--timeout", "2s"]
    command += ["-s", str(servers.HERE / "restart.lua"), cluster.url, "--", connections]
    output = subprocess.run(command, capture_output=True, text=True, check=False)
    summary = [line for line in output.stdout.splitlines() if line.startswith("BENCH ")]
    if output.returncode != 0 or not summary:
        raise servers.ServerError(f"wrk ended with {output.returncode}:\n{output.stdout}{output.stderr}")
    run = json.loads(summary[0].removeprefix("BENCH "))
    failures = {name: run[name] for name in ("notOK", "connect", "read", "write", "timeouts") if run[name]}
    return {
        "requests": run["requests"], "perSecond": run["requests"] * 1e6 / run["microseconds"],
        "failed": sum(failures.values()), "failures": failures,
        "p50Milliseconds": run["p50"] / 1e3, "p99Milliseconds": run["p99"] / 1e3, "maxMilliseconds": run["max"] / 1e3,
    }


def k6_seed(cluster):
    """The thresholds on its times are not looked at: they are for a cluster that rests."""
    environment = os.environ | {
        "SCENARIO": "seed", "SELF": "", "USERS": USERS, "PORT": str(cluster.port),
        "OPERATOR_PORT": str(cluster.operator_port), "COMPARE": "", "ROUNDS": "1",
    }
    subprocess.run([servers.ROOT / "k6" / "run"], env=environment, check=False, stdout=subprocess.DEVNULL)
    report = json.loads((servers.ROOT / "k6" / "results" / f"seed-{USERS}.json").read_text())["metrics"]

    def value(metric, key):
        return report.get(metric, {"values": {}})["values"].get(key, 0)

    failures = {
        "checks": value("checks", "fails"),
        "requests": value("http_req_failed", "passes"),
        "usersNotServed": value("users_begun", "count") - value("users_served", "count"),
    }
    failures = {name: count for name, count in failures.items() if count}
    return {
        "requests": value("http_reqs", "count"), "perSecond": value("http_reqs", "rate"),
        "failed": sum(failures.values()), "failures": failures,
        "p50Milliseconds": value("http_req_duration", "med"), "p99Milliseconds": value("http_req_duration", "p(99)"),
        "maxMilliseconds": value("http_req_duration", "max"),
    }


def table(rows):
    lines = ["", f"Rolling restarts of {GATEWAYS} gateways and {SHARDS} shards every {EVERY:g} s, journal on the disk", ""]
    lines.append(f"  {'load':<12}{'restarts':>9}{'each s':>8}{'requests':>10}{'a second':>10}{'failed':>8}"
                 f"{'p50 ms':>8}{'p99 ms':>8}{'longest ms':>12}")
    for row in rows:
        each = sum(row["restartSeconds"]) / max(1, len(row["restartSeconds"]))
        lines.append(f"  {row['load']:<12}{row['restarts']:>9}{each:>8.1f}{row['requests']:>10.0f}"
                     f"{row['perSecond']:>10.0f}{row['failed']:>8}{row['p50Milliseconds']:>8.1f}"
                     f"{row['p99Milliseconds']:>8.1f}{row['maxMilliseconds']:>12.1f}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    servers.run(main, "restart")
