"""What `make bench` asks of every server: the calls as wrk.lua is told to make them, and the people and seats behind them.

    concerts 1 to 8     the built-in ones: 240 schedules each, lines that let in 50 a second; joined and polled
    concerts 11 to 18   large ones that let everybody in at once; seats are reserved there, each once

The polled wait during the whole benchmark, each server's own that keeps lines: as many stand before them as are let in
meanwhile. Those who reserve have joined just before, as whoever was let in may stay for five minutes.
"""

import http.client
import json
import time

import bench
import burst
import journal
import peers
import servers

LARGE_CONCERTS = range(11, 19)
SCHEDULES, SEATS = 40, 10_000  # of each large concert; wrk.lua knows how they are numbered
BUYERS_PER_CONCERT = 250
BUYERS_WAIT_SECONDS_MAX = 10
FIRST_BUYER = 2 * bench.FIRST_USER


def catalogue():
    usual = [{"from": 1, "to": 10, "grade": "VIP", "price": 170000}, {"from": 11, "to": 20, "grade": "R", "price": 150000}]
    usual += [{"from": 21, "to": 30, "grade": "S", "price": 130000}, {"from": 31, "to": 50, "grade": "A", "price": 100000}]
    concerts = [
        {
            "id": concert,
            "title": f"Concert {concert}",
            "opensAt": "2026-01-01 00:00:00",
            "hall": "usual",
            "schedules": {"firstId": 1000 * concert, "count": 240, "first": "2030-01-01 19:00:00", "everyHours": 24},
        }
        for concert in range(1, bench.CONCERTS + 1)
    ]
    concerts += [
        {
            "id": concert,
            "title": f"Concert {concert}",
            "opensAt": "2026-01-01 00:00:00",
            "hall": "large",
            "schedules": {
                "firstId": 100_000 + 1_000 * concert,
                "count": SCHEDULES,
                "first": "2030-01-01 19:00:00",
                "everyHours": 24,
            },
            "rules": {"admissionsPerSecond": 100_000},
        }
        for concert in LARGE_CONCERTS
    ]
    # wrk.lua's first seat is 10,000; those before it are there and not asked for.
    large = [{"from": 1, "to": 2 * SEATS, "grade": "VIP", "price": 170000}]
    return {"halls": [{"name": "usual", "sections": usual}, {"name": "large", "sections": large}], "concerts": concerts}


def cluster(shards, gateways, folder):
    """A cluster, not launched yet, with this catalogue and the settings that all are measured with; its journals are on
    journal.DISK, and the catalogue's file is in `folder`."""
    file = folder / "catalogue.json"
    file.write_text(json.dumps(catalogue()))
    flags = ["--catalogue", file, *(word for setting in peers.USHER_FLAGS for word in ("--set", setting))]
    return servers.Cluster(shards, gateways, flags, journal.DISK)


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
            # Nobody is let in by Redis, so there a line need not be long.
            if name in peers.KEEPS_LINES:
                lines = bench.fill_lines(server.port, seconds if name == "usher" else 0)
                self.waiting(name).write_text("\n".join(lines) + "\n")

    def waiting(self, name):
        """The file of those who are polled; whoever answers all alike gets anybody's."""
        owner = name if name in peers.KEEPS_LINES else next(iter(self.targets))
        return self.folder / f"waiting-{owner.replace(' ', '-')}"

    def begin_reservations(self, cluster):
        """New buyers, who are all let in."""
        lines = []
        for concert in LARGE_CONCERTS:
            answers = burst.join_all(cluster.port, concert, self.next_buyer, BUYERS_PER_CONCERT, connections=8)
            self.next_buyer += BUYERS_PER_CONCERT
            lines += [f"{concert} {each['tokenId']}" for each in answers]
        for last in lines[BUYERS_PER_CONCERT - 1 :: BUYERS_PER_CONCERT]:
            wait_until_admitted(cluster.port, *last.split())
        self.buyers().write_text("\n".join(bench.mixed(lines, BUYERS_PER_CONCERT)) + "\n")

    def buyers(self):
        return self.folder / "buyers"

    def words(self, call, name):
        """What wrk.lua is told; nobody else gets these users."""
        if call == "schedules":
            return ["schedules", str(bench.CONCERTS)]
        if call == "poll":
            return ["poll", str(self.waiting(name))]
        if call == "reserve":
            return ["reserve", str(self.buyers()), str(self.next_seat), str(SCHEDULES), str(SEATS)]
        self.next_user += bench.USERS_PER_RUN
        return ["join", str(self.next_user), str(bench.CONCERTS)]

    def took(self, call, run):
        """After a run of reservations at Usher: the next takes other seats. Those under way at the end are not counted."""
        if call == "reserve":
            self.next_seat += (run["requests"] + 2 * bench.CONNECTIONS) // len(LARGE_CONCERTS) + 1

    def problems(self):
        """What would make all figures worthless, at the end."""
        found = []
        if "usher" in self.targets:
            found += bench.still_waiting(self.targets["usher"].port, self.waiting("usher"))
        if self.next_seat > SCHEDULES * SEATS:
            found.append("there were not enough seats; fewer rounds, or shorter ones, need fewer")
        return found


def wait_until_admitted(port, concert, token):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    deadline = time.monotonic() + BUYERS_WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        connection.request("GET", f"/api/v1/waiting?concertId={concert}", headers={"X-Concert-Token": token})
        if json.loads(connection.getresponse().read())["remainingWaitingOrder"] == 0:
            connection.close()
            return
        time.sleep(0.01)
    raise servers.ServerError(f"a buyer was not let in after {BUYERS_WAIT_SECONDS_MAX} s")
