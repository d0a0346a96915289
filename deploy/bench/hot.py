#!/usr/bin/env python3
"""One hot concert: what the one shard that it falls on carries, on a core of its own.

Two cores can't feed that over HTTP, so first `benchmarks hot-frames` speaks the frame protocol as gateways do: LINKS links,
each with a batch of requests under way, written at once. The shard of a real cluster is pinned to one core and the client to
the other. PEOPLE join (the journal on DISK, at `commit`), then places of random ones are asked for. Every answer is checked.
Then the same polls over HTTP, with a gateway beside the client on the other core: what one gateway costs, and so how many
fill a shard.

    links ══ batches of BATCHES ══▶ shard (core 0)           client ── pipelined ──▶ gateway (core 1) ══▶ shard (core 0)

What is measured is polls a second, and the shard's CPU for each, of all its threads by the kernel's account. Where others
use the two cores as well ("core busy" below 90 %), only the second is true.

From the environment: PEOPLE (100,000), SECONDS_PER_ROUND (5), ROUNDS (3), LINKS (4), BATCHES ("16 64 256 1024"), DISK
(/var/tmp), FLAGS (of `usher cluster`), BENCHMARKS. Leaves bench/hot.json. Exit code 0 when polls over the links, in the best
size of batch, are at least 400,000 a second.
"""

import json
import os
import pathlib
import statistics
import subprocess
import time

import bench
import servers

BENCHMARKS = pathlib.Path(os.environ.get("BENCHMARKS") or servers.ROOT / ".build/release/benchmarks")
PEOPLE = int(os.environ.get("PEOPLE") or 100_000)
LINKS = os.environ.get("LINKS") or "4"
BATCHES = (os.environ.get("BATCHES") or "16 64 256 1024").split()
# Few connections bring all requests.
FLAGS = ["--set", "gateway.requestsPerConnectionMax=1000000000", *(os.environ.get("FLAGS") or "").split()]
DISK = os.environ.get("DISK") or "/var/tmp"
PEOPLE_OVER_HTTP = 2_000  # who join one after the other
GOAL = 400_000  # polls a second on the shard's core
SHARD_CORE, OTHER_CORE = "0", "1"

# Everybody waits: it opens in years.
CATALOGUE = {
    "halls": [{"name": "hall", "sections": [{"from": 1, "to": 1000, "grade": "A", "price": 1}]}],
    "concerts": [
        {
            "id": 1,
            "title": "hot",
            "opensAt": "2036-01-01 00:00:00",
            "hall": "hall",
            "schedules": [{"id": 1, "playDateTime": "2037-01-01 19:00:00"}],
            "rules": {"waitingLifetimeSeconds": 86400},
        }
    ],
}


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    if not BENCHMARKS.exists():
        raise servers.ServerError(f"no {BENCHMARKS}; `swift build -c release --product benchmarks` makes it")
    runs = []
    with servers.scratch_folder("hot") as folder:
        catalogue = folder / "catalogue.json"
        catalogue.write_text(json.dumps(CATALOGUE))
        for number in range(bench.ROUNDS):
            print(f"bench: round {number + 1} of {bench.ROUNDS}", flush=True)
            runs.append({"frames": frames(catalogue), "http": http(catalogue)})
    results = summarise(runs)
    print(table(results))
    best = max(each["perSecond"] for each in results if each["kind"] == "poll" and each["path"] == "frames")
    bench.write_record("hot.json", {
        "settings": {"rounds": bench.ROUNDS, "secondsPerRound": bench.SECONDS_PER_ROUND, "people": PEOPLE,
                     "links": int(LINKS), "disk": DISK},
        "goal": GOAL,
        "best": best,
        "results": results,
        "runs": runs,
    })
    print(f"bench: {best:,.0f} polls a second on the shard's core; the goal of {GOAL:,}: {'met' if best >= GOAL else 'NOT MET'}")
    return 0 if best >= GOAL else 1


def cluster(catalogue):
    return servers.Cluster("1", "1", ["--catalogue", catalogue, *FLAGS], DISK)


def pin(pid, core):
    """With all its threads."""
    subprocess.run(["taskset", "-a", "-c", "-p", core, str(pid)], check=True, stdout=subprocess.DEVNULL)


def members(each):
    """The process ids of its shard and its gateway. The file appears a moment after they serve."""
    record = each.state / "cluster.json"
    deadline = time.monotonic() + servers.READY_SECONDS_MAX
    while not record.exists():
        if time.monotonic() > deadline:
            raise servers.ServerError(f"no {record}")
        time.sleep(0.05)
    record = json.loads(record.read_text())
    pin(record["supervisor"], OTHER_CORE)
    pin(record["shards"][0], SHARD_CORE)
    pin(record["gateways"][0], OTHER_CORE)
    return record["shards"][0], record["gateways"][0]


def client(*words):
    command = [str(word) for word in ("taskset", "-c", OTHER_CORE, BENCHMARKS, *words)]
    found = subprocess.run(command, capture_output=True, text=True)
    if found.returncode != 0:
        raise servers.ServerError(f"{' '.join(command)} ended with {found.returncode}: {found.stderr[-2000:]}")
    return [json.loads(line) for line in found.stdout.splitlines()]


def frames(catalogue):
    with cluster(catalogue) as each:
        shard, _ = members(each)
        socket = each.state / "shard-0.sock"
        return client("hot-frames", socket, shard, PEOPLE, bench.SECONDS_PER_ROUND, LINKS, *BATCHES)


def http(catalogue):
    with cluster(catalogue) as each:
        shard, gateway = members(each)
        return client("hot-http", each.port, gateway, shard, PEOPLE_OVER_HTTP, bench.SECONDS_PER_ROUND)


def summarise(runs):
    """Medians of the rounds, of each kind and size of batch."""
    results = []
    for path in ("frames", "http"):
        for rows in zip(*(run[path] for run in runs)):
            first = rows[0]
            micro = [row["cpuMicroseconds"] for row in rows]
            results.append({
                "path": path,
                "kind": first["kind"],
                "batch": first["batch"],
                "perSecond": statistics.median(row["perSecond"] for row in rows),
                "cpuMicroseconds": statistics.median(micro),
                "least": min(micro),
                "most": max(micro),
                "perCore": 1e6 / statistics.median(micro),
                "coreBusy": statistics.median(row["coreBusy"] for row in rows),
                "clientCPUMicroseconds": statistics.median(row["clientCPUMicroseconds"] for row in rows),
            })
    return results


def table(results):
    lines = ["", f"One concert on one shard; {PEOPLE:,} people in its line, {LINKS} links; median of {bench.ROUNDS}", ""]
    lines.append(f"  {'':<22}{'batch':>6}{'a second':>11}{'core busy':>11}{'CPU us each':>13}{'spread':>13}"
                 f"{'a core and second':>19}{'client us':>11}")
    for each in results:
        name = each["kind"] if each["path"] == "frames" else f"HTTP poll, {each['kind']}"
        lines.append(f"  {name:<22}{each['batch']:>6}{each['perSecond']:>11,.0f}{each['coreBusy']:>11.0%}"
                     f"{each['cpuMicroseconds']:>13.2f}{each['least']:>8.2f}-{each['most']:.2f}{each['perCore']:>19,.0f}"
                     f"{each['clientCPUMicroseconds']:>11.2f}")
    over = {each["kind"]: each for each in results if each["path"] == "http"}
    ratio = over["gateway"]["cpuMicroseconds"] / over["shard"]["cpuMicroseconds"]
    lines.append("")
    lines.append(f"  Over HTTP a gateway takes {ratio:.1f} times of what the shard takes: so many gateways fill one shard.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    servers.run(main, "bench")
