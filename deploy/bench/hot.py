#!/usr/bin/env python3
"""One hot concert: what its one shard carries on a core of its own.

Two cores can't feed that over HTTP, so `benchmarks hot-frames` first speaks the frame protocol as gateways do: LINKS links, each
with a batch of requests under way, written at once. The shard of a real cluster is pinned to one core and the client to the
other. PEOPLE join (the journal on DISK, at `commit`), then places of random ones are polled; every answer is checked. Then the
same polls over HTTP, with a gateway beside the client: the CPU of one gateway tells how many gateways fill a shard.

    links ══ batches of BATCHES ══▶ shard (core 0)           client ── pipelined ──▶ gateway (core 1) ══▶ shard (core 0)

Where other programs use the two cores as well ("core busy" below 90 %), only the CPU of a poll is true.

From the environment: PEOPLE (100,000), SECONDS_PER_ROUND (5), ROUNDS (3), LINKS (4), BATCHES ("16 64 256 1024"), DISK, FLAGS.
Leaves bench/hot.json. Exit code 0 when polls in the best size of batch are at least 400,000 a second.
"""

import json
import statistics
import subprocess

import bench
import servers

ROUNDS = bench.setting("ROUNDS", 3)
SECONDS_PER_ROUND = bench.setting("SECONDS_PER_ROUND", 5)
PEOPLE = bench.setting("PEOPLE", 100_000)
LINKS = bench.setting("LINKS", "4")
BATCHES = bench.setting("BATCHES", "16 64 256 1024").split()
PEOPLE_OVER_HTTP = 2_000  # who join one after the other
GOAL = 400_000  # polls a second on the shard's core
CLIENT = ("taskset", "-c", bench.LOAD_CORE)

# Everybody waits: it opens in years.
CATALOGUE = {
    "halls": [{"name": "hall", "sections": [{"from": 1, "to": 1000, "grade": "A", "price": 1}]}],
    "concerts": [{"id": 1, "title": "hot", "opensAt": "2036-01-01 00:00:00", "hall": "hall",
                  "schedules": [{"id": 1, "playDateTime": "2037-01-01 19:00:00"}], "rules": {"waitingLifetimeSeconds": 86400}}],
}


def main():
    runs = []
    with servers.scratch_folder("hot") as folder:
        (folder / "catalogue.json").write_text(json.dumps(CATALOGUE))
        # Few connections bring all requests.
        flags = ["--catalogue", folder / "catalogue.json", "--set", "gateway.requestsPerConnectionMax=1000000000", *bench.FLAGS]
        for number in range(ROUNDS):
            bench.say(f"round {number + 1} of {ROUNDS}")
            with servers.Cluster("1", "1", flags, bench.DISK) as cluster:
                shard, _ = pin(cluster)
                runs.append(bench.benchmarks("hot-frames", cluster.state / "shard-0.sock", shard, PEOPLE, SECONDS_PER_ROUND, LINKS,
                                             *BATCHES, prefix=CLIENT))
            with servers.Cluster("1", "1", flags, bench.DISK) as cluster:
                shard, gateway = pin(cluster)
                runs[-1] += [each | {"kind": f"HTTP poll, {each['kind']}"} for each in bench.benchmarks(
                    "hot-http", cluster.port, gateway, shard, PEOPLE_OVER_HTTP, SECONDS_PER_ROUND, prefix=CLIENT)]
    results = [{"kind": rows[0]["kind"], "batch": rows[0]["batch"],
                **{key: statistics.median(row[key] for row in rows)
                   for key in ("perSecond", "cpuMicroseconds", "coreBusy", "clientCPUMicroseconds")}} for rows in zip(*runs)]
    best = max(each["perSecond"] for each in results if each["kind"] == "poll")
    table = bench.Table(("", "batch", "a second", "core busy", "µs of CPU each", "a core and second", "client µs"), [
        (each["kind"], each["batch"], f"{each['perSecond']:,.0f}", f"{each['coreBusy']:.0%}", f"{each['cpuMicroseconds']:.2f}",
         f"{1e6 / each['cpuMicroseconds']:,.0f}", f"{each['clientCPUMicroseconds']:.2f}") for each in results])
    goals = bench.goals(("polls a second on one shard's core", "at least", GOAL, best, "{:,.0f}"))
    return bench.finish("hot", {"best": best, "results": results, "runs": runs}, {"hot": [goals, table]}) or int(best < GOAL)


def pin(cluster):
    """The shard to one core, all else to the other; the process ids of shard and gateway."""
    members = cluster.members()
    pids = {members["supervisor"]: bench.LOAD_CORE, members["shards"][0]: bench.SERVER_CORE, members["gateways"][0]: bench.LOAD_CORE}
    for pid, core in pids.items():
        subprocess.run(["taskset", "-a", "-c", "-p", str(core), str(pid)], check=True, stdout=subprocess.DEVNULL)
    return members["shards"][0], members["gateways"][0]


if __name__ == "__main__":
    bench.run(main, "bench-hot")
