#!/usr/bin/env python3
"""COUNT connections that are held and hardly used, in one process with one epoll, a quarter each of:

    idle     ask for the list of concerts once, and rest
    head     send the head of a request, a byte every PAUSE seconds
    body     send a head, and then its body, a byte every PAUSE seconds
    reader   ask for the schedules eight times, some 200 kB and more than the kernel keeps for a peer that does not read, with
             the smallest receive buffer, and read 64 bytes every PAUSE seconds

A closed connection is opened again. They come OPENED_PER_SECOND, because those of one moment would be closed in one moment, from
several addresses of loopback, because one address has too few ports.

    crowd.py PORT COUNT PAUSE

Prints a line of JSON a second: connections open, opened in all, and closed by kind and by what was read last (`408`, or `closed`
where nothing was said). SIGTERM ends it.
"""

import collections
import heapq
import json
import select
import signal
import socket
import sys
import time

import servers

KINDS = ["idle", "head", "body", "reader"]
READ_BYTES = 64
OPENED_PER_SECOND = 1_500
ADDRESSES = 8  # of loopback: 127.0.0.2 and following
IP_BIND_ADDRESS_NO_PORT = 24  # ip(7): the port is chosen with the destination, so that each pair has all ports

HEAD = b"GET /api/v1/concert/schedules?concertId=1 HTTP/1.1\r\nHost: crowd\r\n"
REQUESTS = {
    "idle": b"GET /api/v1/concerts HTTP/1.1\r\nHost: crowd\r\n\r\n",
    "head": HEAD[:20],
    "body": b"POST /api/v1/waiting HTTP/1.1\r\nHost: crowd\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{",
    "reader": 8 * (HEAD + b"\r\n"),
}


class Client:
    """One connection of one kind."""

    __slots__ = ("age", "kind", "said", "sent", "socket")

    def __init__(self, kind):
        self.kind = kind
        self.age = 0
        self.socket = None

    def open(self, port, number):
        """Connects; the request is sent when the connection is there."""
        self.age += 1
        self.sent = 0
        self.said = "closed"
        self.socket = socket.socket()
        self.socket.setblocking(False)
        if self.kind == "reader":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.socket.setsockopt(socket.SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self.socket.bind((f"127.0.0.{2 + number % ADDRESSES}", 0))
        try:
            self.socket.connect(("127.0.0.1", port))
        except BlockingIOError:
            pass

    def drip(self):
        """Sends a byte, or reads a few. OSError where the connection is closed."""
        if self.kind == "head":
            # A header that never ends.
            rest = HEAD[20:] + b"X-Slow: "
            self.socket.send(rest[self.sent : self.sent + 1] or b"a")
            self.sent += 1
        elif self.kind == "body":
            self.socket.send(b" ")
        elif self.kind == "reader" and not self.socket.recv(READ_BYTES):
            raise ConnectionResetError

    def listen(self):
        """Reads what has come. OSError where the connection is closed."""
        read = self.socket.recv(4096)
        if not read:
            raise ConnectionResetError
        if read.startswith(b"HTTP/1.1 ") and not read.startswith(b"HTTP/1.1 200"):
            self.said = read[9:12].decode()


class Crowd:
    def __init__(self, port, count, pause):
        self.port, self.pause = port, pause
        self.epoll = select.epoll()
        self.clients = [Client(KINDS[number % len(KINDS)]) for number in range(count)]
        self.by_descriptor = {}
        self.to_open = collections.deque(range(count))
        self.due = []  # (when, number, age): the next to drip
        self.opened = 0
        self.ended = {kind: {} for kind in KINDS}

    def run(self):
        begun = time.monotonic()
        tell_at, may_open, counted_at = begun + 1, 0.0, begun
        while True:
            for descriptor, events in self.epoll.poll(0.02, 1024):
                self.happened(self.by_descriptor[descriptor], events)
            now = time.monotonic()
            may_open = min(OPENED_PER_SECOND / 10, may_open + (now - counted_at) * OPENED_PER_SECOND)
            counted_at = now
            while self.to_open and may_open >= 1:
                may_open -= 1
                self.open(self.to_open.popleft())
            while self.due and self.due[0][0] <= now:
                _, number, age = heapq.heappop(self.due)
                if self.clients[number].age == age and self.clients[number].socket is not None:
                    self.drip(number, now)
            if now >= tell_at:
                tell_at += 1
                print(json.dumps({"open": len(self.by_descriptor), "opened": self.opened, "ended": self.ended}), flush=True)

    def open(self, number):
        client = self.clients[number]
        client.open(self.port, number)
        self.opened += 1
        self.by_descriptor[client.socket.fileno()] = number
        self.epoll.register(client.socket, select.EPOLLOUT)

    def happened(self, number, events):
        client = self.clients[number]
        try:
            if events & select.EPOLLOUT:
                # It is there. A slow reader waits for the end only: what it has not read is no event.
                client.socket.send(REQUESTS[client.kind])
                wanted = select.EPOLLRDHUP if client.kind == "reader" else select.EPOLLIN
                self.epoll.modify(client.socket, wanted)
                # Spread, so that they do not all come in one moment.
                if client.kind != "idle":
                    first = time.monotonic() + self.pause * (number % 97 + 1) / 97
                    heapq.heappush(self.due, (first, number, client.age))
            elif client.kind == "reader":
                raise ConnectionResetError
            else:
                client.listen()
        except BlockingIOError:
            pass
        except OSError:
            self.close(number)

    def drip(self, number, now):
        client = self.clients[number]
        try:
            client.drip()
        except BlockingIOError:
            pass
        except OSError:
            return self.close(number)
        heapq.heappush(self.due, (now + self.pause, number, client.age))

    def close(self, number):
        client = self.clients[number]
        counts = self.ended[client.kind]
        counts[client.said] = counts.get(client.said, 0) + 1
        del self.by_descriptor[client.socket.fileno()]
        client.socket.close()
        client.socket = None
        self.to_open.append(number)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    servers.raise_descriptor_limit()
    port, count, pause = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    Crowd(port, count, pause).run()


if __name__ == "__main__":
    main()
