"""Whom Usher is measured beside: each with its configuration in this folder, and the calls that it answers.

    usher          GATEWAYS and SHARDS, settings as they are by default; journal.policy commit
    nginx          `return 200` with bodies like Usher's: the limit of a web server
    nginx file     the same; the schedules out of a file in the page cache
    nginx nginx    nginx, forwarding over a Unix socket to that nginx
    haproxy nginx  HAProxy, forwarding over a Unix socket to that nginx
    redis          nginx with Lua, and Redis behind it over TCP: places in a sorted set, appendfsync always
    redis unix     the same over a Unix socket

Every server has as many workers as Usher has gateways: GATEWAYS, one process with one thread by default.
"""

import servers

FORWARDED = ("schedules", "join", "poll", "reserve")

# Who answers what. Redis keeps a line and nothing else; a file can only hold what is the same for everybody.
CALLS = {
    "usher": FORWARDED,
    "nginx": FORWARDED,
    "nginx file": ("schedules",),
    "nginx nginx": FORWARDED,
    "haproxy nginx": FORWARDED,
    "redis": ("join", "poll"),
    "redis unix": ("join", "poll"),
}
PRINTED = {
    "usher": "Usher",
    "nginx": "nginx",
    "nginx file": "nginx, from a file",
    "nginx nginx": "nginx → nginx",
    "haproxy nginx": "HAProxy → nginx",
    "redis": "nginx, Lua, Redis",
    "redis unix": "nginx, Lua, Redis (Unix)",
}
KEEPS_LINES = ("usher", "redis", "redis unix")

# Loopback is trusted by default, so limits by address and by user would let it through unseen: here they count every
# request, and have room for a load. Compactions are put off, as the others rewrite nothing meanwhile either.
USHER_FLAGS = [
    "gateway.trustedAddresses=",
    "gateway.requestsPerAddressPerSecond=1000000",
    "gateway.requestsPerAddressBurst=1000000",
    "gateway.requestsPerUserPerSecond=1000000",
    "gateway.requestsPerUserBurst=1000000",
    f"journal.compactBytes={1 << 40}",
]


def start(name, stack, schedules, disk):
    """A running peer, which `stack` (an ExitStack) will stop. `schedules` is the list that it answers; what it keeps, it
    keeps in a folder on `disk`."""
    if name == "nginx":
        server = servers.Nginx(schedules)
    elif name == "nginx file":
        server = servers.Nginx(schedules, from_file=True)
    elif name == "nginx nginx":
        server = NginxForward(servers.Nginx(schedules, on_socket=True))
    elif name == "haproxy nginx":
        server = HAProxy(servers.Nginx(schedules, on_socket=True))
    elif name in ("redis", "redis unix"):
        server = servers.NginxWithRedis("always", "unix" if name == "redis unix" else "tcp", disk)
    else:
        raise servers.ServerError(f"no peer `{name}`; there are {', '.join(CALLS)}")
    return stack.enter_context(server)


class Forward(servers.Server):
    """A server on a free port with another behind it."""

    def __init__(self, name, behind):
        super().__init__(name)
        self.behind = behind
        [self.port] = servers.free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"

    def is_ready(self):
        return servers.answers(f"{self.url}/api/v1/waiting")

    def stop(self):
        try:
            super().stop()
        finally:
            self.behind.stop()

    def pids(self):
        return super().pids() + self.behind.pids()


class NginxForward(Forward):
    """nginx with nginx-forward.conf."""

    def __init__(self, behind):
        super().__init__("nginx-forward", behind)

    def launch(self):
        self.behind.launch()
        (self.folder / "listen.conf").write_text(f"listen 127.0.0.1:{self.port} {servers.DEFERRED} backlog=4096;\n")
        (self.folder / "upstream.conf").write_text(f"server unix:{self.behind.socket};\n")
        self.start(servers.nginx_command(self.folder, "nginx-forward.conf"), self.is_ready)


class HAProxy(Forward):
    """HAProxy with haproxy.cfg."""

    def __init__(self, behind):
        super().__init__("haproxy", behind)

    def launch(self):
        self.behind.launch()
        environment = ["env", f"PORT={self.port}", f"SOCKET={self.behind.socket}", f"WORKERS={servers.WORKERS}"]
        haproxy = [servers.program("haproxy", "bench"), "-db", "-f", str(servers.HERE / "haproxy.cfg")]
        self.start([*environment, *haproxy], self.is_ready)
