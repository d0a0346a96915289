"""The requests of `make bench` and `make bench-scaling`, and the people and seats behind them.

    concerts 1 to 8     like the built-in ones: 240 schedules each, lines that let in 50 a second; joined and polled
    concerts 11 to 18   large ones that let everybody in at once; seats are reserved there, each once

The polled people wait during the whole benchmark, in a line of each server that keeps one: as many stand before them as are
let in meanwhile. Those who reserve have joined just before, because a stay inside lasts five minutes.
"""

import json
import time

import bench
import servers

LARGE_CONCERTS = range(11, 19)
SCHEDULES, SEATS = 40, 10_000  # of each large concert; wrk.lua knows how they are numbered
BUYERS_PER_CONCERT = 250
BUYERS_WAIT_SECONDS_MAX = 10
FIRST_BUYER = 2 * bench.FIRST_USER
KEEPS_LINES = ("usher", "redis", "redis unix")

# Loopback is trusted by default, so limits by address and by user would not count: here they count every request, and have
# room for a load. Compactions are put off, because the peers rewrite nothing meanwhile either.
USHER_SETTINGS = [
    "gateway.trustedAddresses=",
    "gateway.requestsPerAddressPerSecond=1000000",
    "gateway.requestsPerAddressBurst=1000000",
    "gateway.requestsPerUserPerSecond=1000000",
    "gateway.requestsPerUserBurst=1000000",
    f"journal.compactBytes={1 << 40}",
]


def catalogue():
    usual = [{"from": 1, "to": 10, "grade": "VIP", "price": 170000}, {"from": 11, "to": 20, "grade": "R", "price": 150000}]
    usual += [{"from": 21, "to": 30, "grade": "S", "price": 130000}, {"from": 31, "to": 50, "grade": "A", "price": 100000}]
    def concert(number, hall, first, count, rules):
        schedules = {"firstId": first, "count": count, "first": "2030-01-01 19:00:00", "everyHours": 24}
        return {"id": number, "title": f"Concert {number}", "opensAt": "2026-01-01 00:00:00", "hall": hall,
                "schedules": schedules, "rules": rules}

    concerts = [concert(number, "usual", 1000 * number, 240, {}) for number in range(1, bench.CONCERTS + 1)]
    concerts += [concert(number, "large", 100_000 + 1_000 * number, SCHEDULES, {"admissionsPerSecond": 100_000})
                 for number in LARGE_CONCERTS]
    # wrk.lua's first seat is 10,000; those before it are there and not asked for.
    large = [{"from": 1, "to": 2 * SEATS, "grade": "VIP", "price": 170000}]
    return {"halls": [{"name": "usual", "sections": usual}, {"name": "large", "sections": large}], "concerts": concerts}


def cluster(shards, gateways, folder):
    """A cluster, not launched yet, with this catalogue and USHER_SETTINGS; its journals are on DISK, and the catalogue's file is
    in `folder`."""
    file = folder / "catalogue.json"
    file.write_text(json.dumps(catalogue()))
    flags = ["--catalogue", file, *(word for setting in USHER_SETTINGS for word in ("--set", setting))]
    return servers.Cluster(shards, gateways, flags, bench.DISK)


class Workload:
    """The people of one benchmark, in files in `folder`, and which seats and users are next."""

    def __init__(self, folder, targets):
        self.folder, self.targets = folder, targets
        self.next_user = bench.FIRST_USER
        self.next_buyer = FIRST_BUYER
        self.next_seat = 0  # of each large concert

    def prepare(self, seconds):
        """Everybody who is polled for so long joins."""
        for name, server in self.targets.items():
            # Redis lets nobody in, so its line need not be long.
            if name in KEEPS_LINES:
                lines = bench.fill_lines(server.port, seconds if name == "usher" else 0)
                self.waiting(name).write_text("\n".join(lines) + "\n")

    def waiting(self, name):
        """The file of those who are polled; servers without lines get those of Usher."""
        owner = name if name in KEEPS_LINES else next(iter(self.targets))
        return self.folder / f"waiting-{owner.replace(' ', '-')}"

    def begin_reservations(self, cluster):
        """Joins new buyers, and waits until all are inside."""
        lines = []
        for concert in LARGE_CONCERTS:
            answers = bench.join_all(cluster.port, concert, self.next_buyer, BUYERS_PER_CONCERT)
            self.next_buyer += BUYERS_PER_CONCERT
            lines += [f"{concert} {each['tokenId']}" for each in answers]
        for last in lines[BUYERS_PER_CONCERT - 1 :: BUYERS_PER_CONCERT]:
            wait_until_admitted(cluster.port, *last.split())
        self.buyers().write_text("\n".join(bench.mixed(lines, BUYERS_PER_CONCERT)) + "\n")

    def buyers(self):
        return self.folder / "buyers"

    def words(self, call, name):
        """The arguments of wrk.lua; each run gets users of its own."""
        if call == "schedules":
            return ["schedules", str(bench.CONCERTS)]
        if call == "poll":
            return ["poll", str(self.waiting(name))]
        if call == "reserve":
            return ["reserve", str(self.buyers()), str(self.next_seat), str(SCHEDULES), str(SEATS)]
        self.next_user += bench.USERS_PER_RUN
        return ["join", str(self.next_user), str(bench.CONCERTS)]

    def took(self, call, run):
        """After a run of reservations at Usher: the next run takes other seats. Those under way at the end are not counted."""
        if call == "reserve":
            self.next_seat += (run["requests"] + 2 * bench.CONNECTIONS) // len(LARGE_CONCERTS) + 1

    def problems(self):
        """What would make all figures worthless: another answer may cost something else."""
        found = []
        concert, token = self.waiting("usher").read_text().splitlines()[0].split()
        status, body = bench.poll(self.targets["usher"].port, concert, token)
        if status != 200 or body.get("tokenId") != token or body.get("remainingWaitingOrder", 0) == 0:
            found.append(f"a polled token does not wait any more at the end: {status} {body}")
        if self.next_seat > SCHEDULES * SEATS:
            found.append("there were not enough seats; fewer rounds, or shorter ones, need fewer")
        return found


def wait_until_admitted(port, concert, token):
    deadline = time.monotonic() + BUYERS_WAIT_SECONDS_MAX
    while bench.poll(port, concert, token)[1]["remainingWaitingOrder"] != 0:
        if time.monotonic() > deadline:
            raise servers.ServerError(f"a buyer was not let in after {BUYERS_WAIT_SECONDS_MAX} s")
        time.sleep(0.01)
