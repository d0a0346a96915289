#!/usr/bin/env python3
"""A line of a million: PEOPLE (1,000,000) join one concert, ask for their place as late as `Retry-After` says, and are let in
RATE (5,000) a second.

`benchmarks long-line` is all of them, over CONNECTIONS (64) connections with many requests under way on each. The concert
opens when all should have joined (JOINS_PER_SECOND, 25,000, and 5 s more). It checks every answered place against what it
knows: how many were let in never goes back and is never more than the rate allows, so nobody is passed; places on one
connection go up in the order of the joins.

Each second what it saw is put beside the CPU and memory of each process, from /proc: bench/million.json, and as a picture
bench/million.svg. From the environment too: GATEWAYS (1), DISK (/var/tmp; /dev/shm for no disk), FLAGS (of
`usher cluster`), BENCHMARKS. Exit code 1 when a place was wrong or a request refused.
"""

import datetime
import json
import math
import os
import pathlib
import subprocess
import time

import bench
import servers
import svg

BENCHMARKS = pathlib.Path(os.environ.get("BENCHMARKS") or servers.ROOT / ".build/release/benchmarks")
PEOPLE = int(os.environ.get("PEOPLE") or 1_000_000)
RATE = int(os.environ.get("RATE") or 5_000)
CONNECTIONS = int(os.environ.get("CONNECTIONS") or 64)
JOINS_PER_SECOND = int(os.environ.get("JOINS_PER_SECOND") or 25_000)
SHARDS = "1"  # of however many, one concert falls on one
GATEWAYS = os.environ.get("GATEWAYS") or "1"
DISK = os.environ.get("DISK") or "/var/tmp"
OUT = servers.ROOT / "bench"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

# A person asks a few dozen times, on connections that thousands share.
FLAGS = ["--set", "gateway.requestsPerConnectionMax=1000000000", "--set", f"booking.admissionsPerSecond={RATE}"]
FLAGS += ["--set", "booking.timeZone=UTC", "--set", "booking.admittedLifetimeSeconds=3600"]
FLAGS += (os.environ.get("FLAGS") or "").split()


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    if not BENCHMARKS.exists():
        raise servers.ServerError(f"no {BENCHMARKS}; `swift build -c release --product benchmarks` makes it")
    with servers.scratch_folder("million") as folder:
        catalogue = folder / "catalogue.json"
        opens = int(time.time()) + 4 + PEOPLE // JOINS_PER_SECOND + 5
        catalogue.write_text(json.dumps(catalogue_opening(opens)))
        with servers.Cluster(SHARDS, GATEWAYS, ["--catalogue", catalogue, *FLAGS], DISK) as cluster:
            before, seconds, whole = watch(cluster, opens)
    report = {
        "settings": {"people": PEOPLE, "rate": RATE, "connections": CONNECTIONS, "shards": int(SHARDS),
                     "gateways": int(GATEWAYS), "disk": DISK, "flags": FLAGS},
        **summarise(before, seconds, whole),
        "whole": whole,
        "seconds": seconds,
    }
    print(table(report))
    bench.write_record("million.json", report)
    picture(report, OUT / "million.svg")
    print("bench: the picture is bench/million.svg")
    for problem in report["problems"]:
        print(f"bench: INVALID: {problem}")
    return 1 if report["problems"] else 0


def catalogue_opening(opens):
    text = datetime.datetime.fromtimestamp(opens, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
    hall = {"name": "hall", "sections": [{"from": 1, "to": 50, "grade": "A", "price": 1}]}
    plays = [{"id": 1, "playDateTime": "2036-01-01 19:00:00"}]
    concert = {"id": 1, "title": "the million", "opensAt": text, "hall": "hall", "schedules": plays}
    return {"halls": [hall], "concerts": [concert]}


def watch(cluster, opens):
    """Runs the crowd; what /proc said before, what both said each second, and what the crowd said in all."""
    words = [BENCHMARKS, "long-line", cluster.port, PEOPLE, opens, RATE, CONNECTIONS]
    supervisor = cluster.process.pid
    usage = Usage(supervisor, cluster)
    crowd = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True,
                             preexec_fn=servers.end_with_parent)
    seconds, whole = [], None
    try:
        usage.extra = {crowd.pid: "clients"}
        before = usage.read()
        for line in crowd.stdout:
            found = json.loads(line)
            if "whole" in found:
                whole = found
                continue
            found["sinceOpening"] = found["wall"] - opens
            found["processes"] = usage.read()
            seconds.append(found)
            if len(seconds) % 10 == 0:
                print(f"bench: {found['second']:.0f} s: {found['joined']:,} joined, {found['admitted']:,} let in, "
                      f"{found['sent']:,} polls in this second", flush=True)
    finally:
        crowd.terminate()
        crowd.wait()
    if whole is None:
        raise servers.ServerError(f"the crowd ended with {crowd.returncode}:\n{cluster.log_tail()}")
    return before, seconds, whole


class Usage:
    """CPU since the last reading, as cores, and resident bytes, of each process of the cluster by its name."""

    def __init__(self, supervisor, cluster):
        self.supervisor, self.cluster = supervisor, cluster
        self.extra, self.names, self.before, self.at = {}, {}, {}, time.monotonic()

    def read(self):
        now = time.monotonic()
        span, self.at = now - self.at, now
        found = {}
        for pid in [self.supervisor, *servers.children_of(self.supervisor), *self.extra]:
            try:
                cpu = servers.cpu_seconds([pid])
                resident = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
            except (OSError, ValueError):
                continue  # it ended meanwhile
            name = self.name(pid)
            cores = (cpu - self.before.get(pid, 0.0 if name == "compaction" else cpu)) / span
            self.before[pid] = cpu
            one = found.setdefault(name, {"cores": 0.0, "residentBytes": 0})
            one["cores"] = round(one["cores"] + cores, 3)
            one["residentBytes"] += resident
        return found

    def name(self, pid):
        """By the cluster's own record; what is not in it is a compaction, which comes and goes."""
        known = self.names.get(pid) or self.extra.get(pid)
        if known:
            return known
        name = "supervisor" if pid == self.supervisor else "compaction"
        path = self.cluster.state / "cluster.json"
        if path.exists():
            record = json.loads(path.read_text())
            if pid in record["shards"]:
                name = self.numbered("shard", record["shards"].index(pid), SHARDS)
            elif pid in record["gateways"]:
                name = self.numbered("gateway", record["gateways"].index(pid), GATEWAYS)
            self.names[pid] = name
        return name

    @staticmethod
    def numbered(role, index, count):
        return role if count == "1" else f"{role} {index}"


def summarise(before, seconds, whole):
    # From the opening to where the last ones are let in.
    steady = [each for each in seconds if each["sinceOpening"] >= 2 and each["admitted"] < PEOPLE]
    pairs = list(zip(steady, steady[1:]))
    rates = [(b["admitted"] - a["admitted"]) / (b["second"] - a["second"]) for a, b in pairs]
    filled = next((each for each in seconds if each["joined"] == PEOPLE), seconds[-1])
    memory = {}
    for name in filled["processes"]:
        if name.startswith(("shard", "gateway")):
            grown = filled["processes"][name]["residentBytes"] - before[name]["residentBytes"]
            memory[name] = round(grown / filled["joined"], 1)
    cores = {}
    for name in sorted({name for each in seconds for name in each["processes"]}):
        mine = [each["processes"][name]["cores"] for each in steady if name in each["processes"]]
        if mine:
            cores[name] = round(sum(mine) / len(mine), 3)
    problems = []
    if whole["wrong"]:
        problems.append(f"{whole['wrong']} places were wrong")
    if whole["shed"]:
        problems.append(f"{whole['shed']} polls were refused")
    if whole["done"] != PEOPLE or whole["joined"] != PEOPLE:
        problems.append(f"{whole['joined']} joined and {whole['done']} were let in, of {PEOPLE}")
    if not steady or filled["sinceOpening"] > 0:
        problems.append("the concert had opened before all had joined: set JOINS_PER_SECOND lower")
    return {
        "joinsPerSecond": round(PEOPLE / whole["allJoinedAfter"]) if whole["allJoinedAfter"] else 0,
        "admissionsPerSecond": {
            "mean": round((steady[-1]["admitted"] - steady[0]["admitted"]) / (steady[-1]["second"] - steady[0]["second"]), 1),
            "least": round(min(rates)), "most": round(max(rates)),
        } if len(steady) > 2 else None,
        "pollsPerPerson": round(whole["sent"] / PEOPLE, 1),
        "pollsPerSecondMost": max(each["sent"] for each in seconds),
        "bytesPerPerson": memory,
        "coresWhileLettingIn": cores,
        "problems": problems,
    }


def table(report):
    whole, admissions = report["whole"], report["admissionsPerSecond"]
    lines = ["", f"A line of {PEOPLE:,}, {RATE:,} let in a second, {CONNECTIONS} connections", ""]
    lines.append(f"  joins              {report['joinsPerSecond']:,} a second, durable")
    if admissions:
        lines.append(f"  let in             {admissions['mean']:,} a second, from {admissions['least']:,} to {admissions['most']:,}")
    lines.append(f"  polls              {whole['sent']:,}, {report['pollsPerPerson']} a person, at most "
                 f"{report['pollsPerSecondMost']:,} a second; {whole['wrong']} places wrong, {whole['shed']} refused")
    for key, name in (("sentLate", "due to sent"), ("answeredLate", "due to answered"), ("noticedLate", "in to noticed")):
        each = whole[key]
        if each:
            lines.append(f"  {name:<19}p50 {each['p50'] / 1000:.2f} ms, p99 {each['p99'] / 1000:.2f} ms, "
                         f"p99.9 {each['p999'] / 1000:.2f} ms, max {each['max'] / 1000:.1f} ms")
    for name, each in report["bytesPerPerson"].items():
        lines.append(f"  {name:<19}{each} bytes of memory a person")
    for name, each in report["coresWhileLettingIn"].items():
        lines.append(f"  {name:<19}{each:.0%} of a core while people are let in")
    return "\n".join(lines) + "\n"


# The picture: panels over the same time.

STYLES = {"shard": "red", "gateway": "blue", "clients": "goal", "compaction": "orange", "supervisor": "green"}


def picture(report, path):
    settings, whole, seconds = report["settings"], report["whole"], report["seconds"]
    exact = "every place was right" if not whole["wrong"] else f"{whole['wrong']:,} places were wrong"
    gateways = "one gateway" if settings["gateways"] == 1 else f"{settings['gateways']} gateways"
    drawing = OverTime(
        seconds[0]["sinceOpening"], seconds[-1]["sinceOpening"],
        f"A line of {settings['people']:,}, of whom {settings['rate']:,} a second are let in",
        f"{whole['sent']:,} polls as Retry-After says, on {settings['connections']} connections: {exact}.",
        f"One shard, {gateways}, on {os.cpu_count()} cores, which the clients share. Over seconds since "
        "the concert opened.",
    )
    begun = {"second": 0, "joined": 0, "admitted": 0}

    def rate(key):
        return [(b["sinceOpening"], (b[key] - a[key]) / (b["second"] - a["second"])) for a, b in zip([begun, *seconds], seconds)]

    def late(key, percentile):
        return [(each["sinceOpening"], each[key][percentile] / 1000) for each in seconds if each[key]]

    def usage(name, key, scale=1):
        return [(each["sinceOpening"], each["processes"].get(name, {}).get(key, 0) / scale) for each in seconds]

    names = sorted({name for each in seconds for name in each["processes"]}, key=lambda name: (role_index(name), name))
    drawing.panel("Let in a second", [("", "green", rate("admitted"))], most=1.25 * settings["rate"])
    drawing.panel("Asked a second", [
        ("joins", "orange", rate("joined")),
        ("polls", "blue", [(each["sinceOpening"], each["sent"]) for each in seconds]),
    ])
    drawing.panel("How late a poll is, ms", [
        ("answered, p99", "red", late("answeredLate", "p99")),
        ("answered, p50", "blue", late("answeredLate", "p50")),
        ("sent by the client, p99", "goal", late("sentLate", "p99")),
    ], least=0.1)
    drawing.panel("Cores", [(name, style(name), usage(name, "cores")) for name in names])
    drawing.panel("Memory, MiB",
                  [(name, style(name), usage(name, "residentBytes", 2**20)) for name in names if name != "clients"])
    drawing.write(path)


def role_index(name):
    return list(STYLES).index(name.split()[0])


def style(name):
    return STYLES[name.split()[0]]


class OverTime(svg.Picture):
    """Panels of many points over the same seconds, some of them before 0."""

    HEIGHT = 130

    def __init__(self, first, last, title, *remarks):
        super().__init__(title, *remarks)
        self.first, self.last = first, last

    def panel(self, title, lines, most=None, least=None):
        """Each line: a name, a style, its points as pairs. With `least` the scale is logarithmic, from there."""
        values = [value for _, _, points in lines for _, value in points]
        most = most or 1.15 * max(values)
        marks = svg.ticks(most)
        if least:
            most = 10 ** math.ceil(math.log10(max(values)))
            marks = [least * 10**power for power in range(10) if least * 10**power <= most]
        left, room = svg.MARGIN + svg.SCALE, svg.WIDTH - 2 * svg.MARGIN - svg.SCALE
        self.y += 22
        self.text(svg.MARGIN, title, "group")
        top, bottom = self.y + 10, self.y + 10 + self.HEIGHT

        def across(at):
            return left + (at - self.first) / (self.last - self.first) * room

        def up(value):
            part = math.log10(max(value, least) / least) / math.log10(most / least) if least else max(value, 0) / most
            return bottom - min(part, 1) * self.HEIGHT

        for value in marks:
            self.parts.append(f'<path d="M{left} {up(value):.1f}h{room}" class="grid"/>')
            self.text(left - 8, f"{value:,g}", "quiet", "end", up(value) + 4.5)
        step = svg.ticks(self.last - self.first)[1]
        for number in range(math.ceil(self.first / step), int(self.last / step) + 1):
            x = across(number * step)
            self.parts.append(f'<path d="M{x:.1f} {top}v{self.HEIGHT}" class="{"goal" if number == 0 else "grid"}"/>')
            self.text(x, f"{number * step:,g}", "quiet", "middle", bottom + 17)
        x = left + 180
        for name, line, points in lines:
            path = " ".join(f"{across(at):.1f},{up(value):.1f}" for at, value in points)
            self.parts.append(f'<polyline points="{path}" class="{line} line"/>')
            self.text(x, name, f"{line} named", "start", self.y)
            x += 7.2 * len(name) + 28
        self.y = bottom + 22


if __name__ == "__main__":
    servers.run(main, "bench")
