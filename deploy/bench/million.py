#!/usr/bin/env python3
"""A line of a million: PEOPLE (1,000,000) join one concert, poll as late as `Retry-After` says, and are let in RATE (5,000) a
second.

`benchmarks long-line` is all of them, over CONNECTIONS (64) connections with many requests under way on each. The concert opens
when all should have joined (JOINS_PER_SECOND, 25,000, and 5 s more). Every answered place is checked: the number of people let in
never goes back and is never more than the rate allows, so nobody is passed; places on one connection grow in the order of
the joins. PEOPLE=50000 RATE=50 is a burst of joins at the default rate of admission.

Each second its numbers are put beside the CPU and memory of each process, from /proc. From the environment too: GATEWAYS (1), DISK
(/dev/shm for no disk), FLAGS. Leaves bench/million.json and bench/million.svg. Exit code 1 when a place was wrong or a request
refused.
"""

import datetime
import json
import statistics
import subprocess
import time

import bench
import servers
import svg

PEOPLE = bench.setting("PEOPLE", 1_000_000)
RATE = bench.setting("RATE", 5_000)
JOINS_PER_SECOND = bench.setting("JOINS_PER_SECOND", 25_000)
SETTINGS = ["gateway.requestsPerConnectionMax=1000000000", f"booking.admissionsPerSecond={RATE}", "booking.timeZone=UTC",
            "booking.admittedLifetimeSeconds=3600"]
LATE = {"sentLate": "from due to sent", "answeredLate": "from due to answered", "noticedLate": "from inside to noticed"}
STYLES = {"shard": "red", "gateway": "blue", "clients": "goal", "compaction": "orange", "supervisor": "green"}
HEIGHT = 130  # of a panel


def main():
    with servers.scratch_folder("million") as folder:
        file = folder / "catalogue.json"
        opens = int(time.time()) + 4 + PEOPLE // JOINS_PER_SECOND + 5
        file.write_text(json.dumps(catalogue(opens)))
        flags = ["--catalogue", file, *(word for each in SETTINGS for word in ("--set", each)), *bench.FLAGS]
        with servers.Cluster("1", bench.GATEWAYS, flags, bench.DISK) as cluster:  # one concert falls on one shard
            before, seconds, whole = watch(cluster, opens)
    found = summarise(before, seconds, whole)
    problems = found.pop("problems")
    record = {**found, "whole": whole, "seconds": seconds}
    return bench.finish("million", record, {"million": told(found, whole)}, problems, [("million.svg", picture(whole, seconds))])


def catalogue(opens):
    text = datetime.datetime.fromtimestamp(opens, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    hall = {"name": "hall", "sections": [{"from": 1, "to": 50, "grade": "A", "price": 1}]}
    plays = [{"id": 1, "playDateTime": "2036-01-01 19:00:00"}]
    return {"halls": [hall], "concerts": [{"id": 1, "title": "long", "opensAt": text, "hall": "hall", "schedules": plays}]}


def watch(cluster, opens):
    """Runs the people; what /proc said before, what both said each second, and what the people said in all."""
    words = [bench.BENCHMARKS, "long-line", cluster.port, PEOPLE, opens, RATE, bench.CONNECTIONS]
    people = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True,
                              preexec_fn=servers.end_with_parent)
    usage = Usage(cluster, people.pid)
    seconds, whole = [], None
    try:
        before = usage.read()
        for line in people.stdout:
            found = json.loads(line)
            if "whole" in found:
                whole = found
                continue
            seconds.append(found | {"sinceOpening": found["wall"] - opens, "processes": usage.read()})
            if len(seconds) % 10 == 0:
                bench.say(f"{found['second']:.0f} s: {found['joined']:,} joined, {found['admitted']:,} let in, {found['sent']:,} polls")
    finally:
        people.terminate()
        people.wait()
    if whole is None:
        raise servers.ServerError(f"the people ended with {people.returncode}:\n{cluster.log_tail()}")
    return before, seconds, whole


class Usage:
    """Cores used since the last reading, and resident bytes, of each process by its name."""

    def __init__(self, cluster, people):
        self.cluster, self.supervisor, self.people = cluster, cluster.process.pid, people
        self.before, self.at = {}, time.monotonic()

    def read(self):
        now = time.monotonic()
        span, self.at = now - self.at, now
        members = self.cluster.members()
        names = {self.supervisor: "supervisor", self.people: "clients", members["shards"][0]: "shard"}
        for index, pid in enumerate(members["gateways"]):
            names[pid] = "gateway" if len(members["gateways"]) == 1 else f"gateway {index}"
        found = {}
        for pid in [self.supervisor, *servers.children_of(self.supervisor), self.people]:
            name = names.get(pid, "compaction")  # which comes and goes
            try:
                cpu, resident = servers.cpu_seconds([pid]), servers.resident_bytes(pid)
            except (OSError, ValueError):
                continue  # it ended meanwhile
            cores = (cpu - self.before.get(pid, 0.0 if name == "compaction" else cpu)) / span
            self.before[pid] = cpu
            one = found.setdefault(name, {"cores": 0.0, "residentBytes": 0})
            one["cores"] += round(cores, 3)
            one["residentBytes"] += resident
        return found


def summarise(before, seconds, whole):
    # From the opening to where the last ones are let in.
    steady = [each for each in seconds if each["sinceOpening"] >= 2 and each["admitted"] < PEOPLE]
    rates = [(b["admitted"] - a["admitted"]) / (b["second"] - a["second"]) for a, b in zip(steady, steady[1:])]
    filled = next((each for each in seconds if each["joined"] == PEOPLE), seconds[-1])
    served = [name for name in filled["processes"] if name.startswith(("shard", "gateway"))]
    grown = {name: filled["processes"][name]["residentBytes"] - before[name]["residentBytes"] for name in served}
    problems = []
    if whole["wrong"]:
        problems.append(f"{whole['wrong']} places were wrong")
    if whole["shed"]:
        problems.append(f"{whole['shed']} polls were refused")
    if whole["done"] != PEOPLE or whole["joined"] != PEOPLE:
        problems.append(f"{whole['joined']} joined and {whole['done']} were let in, of {PEOPLE}")
    if not rates or filled["sinceOpening"] > 0:
        problems.append("the concert had opened before all had joined: set JOINS_PER_SECOND lower")
    return {
        "joinsPerSecond": round(PEOPLE / whole["allJoinedAfter"]) if whole["allJoinedAfter"] else 0,
        "admissionsPerSecond": [min(rates), statistics.fmean(rates), max(rates)] if rates else [0, 0, 0],
        "pollsPerPerson": whole["sent"] / PEOPLE,
        "pollsPerSecondMost": max(each["sent"] for each in seconds),
        "bytesPerPerson": {name: size / filled["joined"] for name, size in grown.items()},
        "coresWhileLettingIn": {name: statistics.fmean(each["processes"][name]["cores"] for each in steady
                                                       if name in each["processes"]) for name in served} if steady else {},
        "problems": problems,
    }


def told(found, whole):
    least, mean, most = found["admissionsPerSecond"]
    rows = [
        ("people in the line", f"{PEOPLE:,}"),
        ("durable joins a second", f"{found['joinsPerSecond']:,}"),
        ("let in a second", f"{mean:,.0f} (from {least:,.0f} to {most:,.0f})"),
        ("polls", f"{whole['sent']:,}: {found['pollsPerPerson']:.1f} a person, at most {found['pollsPerSecondMost']:,} a second"),
        ("places wrong, polls refused", f"{whole['wrong']}, {whole['shed']}"),
    ]
    rows += [(name, ", ".join(f"{key} {whole[late][at] / 1000:,.1f} ms" for key, at in (("p50", "p50"), ("p99", "p99"), ("most", "max"))))
             for late, name in LATE.items() if whole[late]]
    rows += [(f"memory of the {name}", f"{size:.0f} bytes a person") for name, size in found["bytesPerPerson"].items()]
    rows += [(f"CPU of the {name}", f"{cores:.0%} of a core") for name, cores in found["coresWhileLettingIn"].items()]
    return [bench.Table(("figure", "seen"), rows)]


def picture(whole, seconds):
    exact = "every place was right" if not whole["wrong"] else f"{whole['wrong']:,} places were wrong"
    drawn = svg.Picture(
        f"A line of {PEOPLE:,}, of whom {RATE:,} a second are let in",
        f"{whole['sent']:,} polls as Retry-After says, on {bench.CONNECTIONS} connections: {exact}.",
        f"{bench.processes(bench.GATEWAYS, 1)}, on the same cores as the clients. Over seconds since the concert opened.")
    span = seconds[0]["sinceOpening"], seconds[-1]["sinceOpening"]
    begun = {"second": 0, "joined": 0, "admitted": 0}

    def rate(key):
        return [(b["sinceOpening"], (b[key] - a[key]) / (b["second"] - a["second"])) for a, b in zip([begun, *seconds], seconds)]

    def late(key, percentile):
        return [(each["sinceOpening"], each[key][percentile] / 1000) for each in seconds if each[key]]

    def usage(key, scale=1):
        names = sorted({name for each in seconds for name in each["processes"]})
        return [(name, STYLES[name.split()[0]],
                 [(each["sinceOpening"], each["processes"].get(name, {}).get(key, 0) / scale) for each in seconds], False)
                for name in names]

    drawn.lines("Let in a second", span, [("", "green", rate("admitted"), False)], most=1.25 * RATE, height=HEIGHT)
    drawn.lines("Requests a second", span, [("joins", "orange", rate("joined"), False), (
        "polls", "blue", [(each["sinceOpening"], each["sent"]) for each in seconds], False)], height=HEIGHT)
    drawn.lines("How late a poll is, ms", span, [
        ("answered, p99", "red", late("answeredLate", "p99"), False), ("answered, p50", "blue", late("answeredLate", "p50"), False),
        ("sent by the client, p99", "goal", late("sentLate", "p99"), False)], least=0.1, height=HEIGHT)
    drawn.lines("Cores", span, usage("cores"), height=HEIGHT)
    drawn.lines("Memory, MiB", span, [each for each in usage("residentBytes", 2**20) if each[0] != "clients"], height=HEIGHT)
    return drawn


if __name__ == "__main__":
    bench.run(main, "bench-million")
