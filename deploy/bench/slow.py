#!/usr/bin/env python3
"""Connections that are held and hardly used (crowd.py: idle, dripping heads and bodies, slow readers), COUNT of them
(10,000), while the seed's scenario of k6 books with USERS (300): what they cost those who book, and what memory.

In each of ROUNDS (1) the scenario runs with them and without, each time against a cluster of its own of SHARDS (4) and
GATEWAYS (1), with the journal in memory; every other round begins with the other. The crowd is there WARM_UP (12) seconds
before k6, so that the gateway is ending those who are too slow all the while, as its defaults have it; who was ended comes
again. FLAGS goes to the cluster (`--set gateway.requestTimeoutSeconds=5`).

Memory is what is resident of each process, as /proc tells it twice a second: when the cluster is up, when the crowd is
there, at most while k6 ran, and 5 s after all have gone; of the kernel, what sockets of TCP hold.

Exit code 0 when every check was kept, the p95 of every step is within 1.5 times of the run without them, and no process grew
by more than MEMORY_MAX (300) MB. Leaves bench/slow-clients.json.
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

COUNT = int(os.environ.get("COUNT") or 10_000)
PAUSE = float(os.environ.get("PAUSE") or 3)
ROUNDS = int(os.environ.get("ROUNDS") or 1)
USERS = os.environ.get("USERS") or "300"
SHARDS = os.environ.get("SHARDS") or "4"
GATEWAYS = os.environ.get("GATEWAYS") or "1"
WARM_UP = float(os.environ.get("WARM_UP") or 12)
MEMORY_MAX = int(os.environ.get("MEMORY_MAX") or 300)
FLAGS = ["--set", "journal.kind=memory", *(os.environ.get("FLAGS") or "").split()]
STEPS = ["checkConcertSchedules", "issueWaitingToken", "checkQueueInfo", "reserveSeats", "chargePoint", "payment"]
RATIO_GOAL = 1.5
HELD_PART = 0.9  # of COUNT, at every moment while k6 runs: who is ended is away for a moment
REST_SECONDS = 5
PAGE = os.sysconf("SC_PAGE_SIZE")


class Crowd:
    """crowd.py beside us, and what it has told last."""

    def __init__(self, port):
        command = [sys.executable, str(servers.HERE / "crowd.py"), str(port), str(COUNT), str(PAUSE)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, preexec_fn=servers.end_with_parent
        )
        self.last = {"open": 0, "opened": 0, "ended": {}}
        self.history = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.last = json.loads(line)
            self.history.append(self.last["open"])

    def wait_until_there(self):
        deadline = time.monotonic() + 120
        while self.last["open"] < COUNT * HELD_PART:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise servers.ServerError(f"only {self.last['open']} of {COUNT} connections are open")
            time.sleep(0.2)

    def cpu_seconds(self):
        return servers.cpu_seconds([self.process.pid])

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.reader.join()


class Memory(threading.Thread):
    """What each process of a cluster has resident, and what the kernel has for TCP, twice a second."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        record = json.loads((cluster.state / "cluster.json").read_text())
        self.pids = {f"gateway {index}": pid for index, pid in enumerate(record["gateways"])}
        self.pids |= {f"shard {index}": pid for index, pid in enumerate(record["shards"])}
        self.most = self.now()
        self.over = threading.Event()
        self.start()

    def now(self):
        """MB by process, and `kernel`."""
        found = {
            name: int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6
            for name, pid in self.pids.items()
        }
        sockets = pathlib.Path("/proc/net/sockstat").read_text().split("TCP:")[1].split("\n")[0].split()
        found["kernel"] = int(sockets[sockets.index("mem") + 1]) * PAGE / 1e6
        return found

    def run(self):
        while not self.over.wait(0.5):
            with contextlib.suppress(OSError):  # it ended meanwhile
                self.most = {name: max(mb, self.most[name]) for name, mb in self.now().items()}

    def stop(self):
        self.over.set()
        self.join()


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    with_crowd, without = [], []
    for number in range(ROUNDS):
        order = [True, False] if number % 2 == 0 else [False, True]
        for has_crowd in order:
            run = measure(has_crowd)
            (with_crowd if has_crowd else without).append(run)
            print(f"slow: round {number + 1} {'with' if has_crowd else 'without'} them: {run['checksBroken']} checks broken, "
                  f"{run['requestsPerSecond']:.0f} requests a second", flush=True)
    rows = step_rows(with_crowd, without)
    problems = problems_of(with_crowd, without, rows)
    print(table(rows, with_crowd, without))
    bench.write_record("slow-clients.json", {
        "settings": {"count": COUNT, "pauseSeconds": PAUSE, "users": USERS, "shards": SHARDS, "gateways": GATEWAYS,
                     "rounds": ROUNDS, "warmUpSeconds": WARM_UP, "flags": FLAGS},
        "valid": not problems, "problems": problems, "steps": rows, "with": with_crowd, "without": without,
    })
    for problem in problems:
        print(f"slow: FAILED: {problem}")
    return 1 if problems else 0


def measure(has_crowd):
    """One run of the scenario against a cluster of its own."""
    with servers.Cluster(SHARDS, GATEWAYS, FLAGS) as cluster:
        memory = Memory(cluster)
        before = memory.now()
        crowd = Crowd(cluster.port) if has_crowd else None
        try:
            found = {"memoryBefore": before}
            if crowd:
                crowd.wait_until_there()
                time.sleep(WARM_UP)
                found["memoryWithCrowd"] = memory.now()
            servers_before = servers.cpu_seconds(cluster.pids())
            crowd_before, seen = (crowd.cpu_seconds(), len(crowd.history)) if crowd else (0, 0)
            found |= run_k6(cluster)
            found["serverCPUSeconds"] = servers.cpu_seconds(cluster.pids()) - servers_before
            found["memoryMost"] = dict(memory.most)
            stats = servers.get_json(f"{cluster.operator_url}/stats", timeout=10)
            if crowd:
                found["crowd"] = crowd.last | {
                    "openLeast": min(crowd.history[seen:]), "openMost": max(crowd.history[seen:]),
                    "cpuSeconds": crowd.cpu_seconds() - crowd_before,
                }
        finally:
            if crowd:
                crowd.stop()
            memory.stop()
        time.sleep(REST_SECONDS)
        found["memoryAfter"] = memory.now()
        found["gateways"] = [
            {"connections": each["connections"], "refusals": each["refusals"]} for each in stats["gateways"]
        ]
        return found


def run_k6(cluster):
    environment = os.environ | {
        "SCENARIO": "seed", "SELF": "", "USERS": USERS, "PORT": str(cluster.port),
        "OPERATOR_PORT": str(cluster.operator_port), "COMPARE": "", "ROUNDS": "1",
    }
    output = subprocess.run(
        [servers.ROOT / "k6" / "run"], env=environment, check=False, capture_output=True, text=True
    )
    result = servers.ROOT / "k6" / "results" / f"seed-{USERS}.json"
    if not result.exists():
        raise servers.ServerError(f"k6 left no report:\n{output.stdout[-2000:]}{output.stderr[-2000:]}")
    report = json.loads(result.read_text())["metrics"]
    result.unlink()  # the next run's must be its own

    def value(metric, key):
        return report.get(metric, {"values": {}})["values"].get(key, 0)

    return {
        "requests": value("http_reqs", "count"), "requestsPerSecond": value("http_reqs", "rate"),
        "checksKept": value("checks", "passes"), "checksBroken": value("checks", "fails"),
        "usersNotServed": value("users_begun", "count") - value("users_served", "count"),
        "p95Milliseconds": {step: value(f"http_req_duration{{name:{step}}}", "p(95)") for step in STEPS},
        "p50Milliseconds": {step: value(f"http_req_duration{{name:{step}}}", "med") for step in STEPS},
    }


def step_rows(with_crowd, without):
    """Medians over the rounds."""
    rows = []
    for step in STEPS:
        mine, plain = (
            statistics.median(run["p95Milliseconds"][step] for run in runs) for runs in (with_crowd, without)
        )
        rows.append({"step": step, "withMilliseconds": mine, "withoutMilliseconds": plain,
                     "ratio": mine / plain if plain else None})
    return rows


def problems_of(with_crowd, without, rows):
    problems = []
    for run in with_crowd + without:
        if run["checksBroken"] or run["usersNotServed"] or not run["checksKept"]:
            problems.append(f"{run['checksBroken']} checks broken, {run['usersNotServed']} people not served")
    for run in with_crowd:
        if run["crowd"]["openLeast"] < HELD_PART * COUNT:
            problems.append(f"only {run['crowd']['openLeast']} connections were open at one time")
        for name, most in run["memoryMost"].items():
            if most - run["memoryBefore"][name] > MEMORY_MAX and name != "kernel":
                problems.append(f"{name} grew by {most - run['memoryBefore'][name]:.0f} MB")
    problems += [f"p95 of {row['step']} is {row['ratio']:.2f} times as long" for row in rows
                 if row["ratio"] is None or row["ratio"] > RATIO_GOAL]
    return problems


def table(rows, with_crowd, without):
    def median(runs, key):
        return statistics.median(run[key] for run in runs)

    lines = ["", f"{COUNT:,} connections held and hardly used, beside the seed's scenario with {USERS} users; "
             f"medians of {ROUNDS} rounds", ""]
    lines.append(f"  {'p95 of':<24}{'with ms':>10}{'without ms':>12}{'ratio':>8}")
    for row in rows:
        ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else "-"
        lines.append(f"  {row['step']:<24}{row['withMilliseconds']:>10.1f}{row['withoutMilliseconds']:>12.1f}{ratio:>8}")
    for key, name in (("requestsPerSecond", "requests a second"), ("checksBroken", "checks broken"),
                      ("serverCPUSeconds", "servers' CPU s")):
        lines.append(f"  {name:<24}{median(with_crowd, key):>10.1f}{median(without, key):>12.1f}")
    last, plain = with_crowd[-1], without[-1]
    lines += ["", f"  {'memory, MB':<24}{'at start':>10}{'crowd':>10}{'at most':>10}{'after':>10}{'without':>10}"]
    for name in last["memoryBefore"]:
        each = [last[key][name] for key in ("memoryBefore", "memoryWithCrowd", "memoryMost", "memoryAfter")]
        lines.append(f"  {name:<24}" + "".join(f"{mb:>10.0f}" for mb in [*each, plain["memoryMost"][name]]))
    crowd = last["crowd"]
    lines += ["", f"  the crowd: {crowd['openLeast']:,} to {crowd['openMost']:,} open, {crowd['opened']:,} opened in all, "
              f"{crowd['cpuSeconds']:.1f} s of CPU while k6 ran"]
    for kind, counts in crowd["ended"].items():
        ended = ", ".join(f"{said}: {count:,}" for said, count in sorted(counts.items())) or "none"
        lines.append(f"    {kind:<8} ended  {ended}")
    for index, gateway in enumerate(last["gateways"]):
        counts = gateway["connections"] | {name: n for name, n in gateway["refusals"].items() if n}
        lines.append(f"  gateway {index} counted: " + ", ".join(f"{name} {n:,}" for name, n in counts.items()))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    servers.run(main, "slow")
