"""The servers that are measured, each started in a folder of its own and removed after: an Usher cluster, and its peers.

    nginx          `return 200` with bodies like Usher's: the limit of a web server
    nginx file     the same; the schedules from a file in the page cache
    nginx nginx    nginx, forwarding over a Unix socket to that nginx
    haproxy nginx  HAProxy, forwarding over a Unix socket to that nginx
    redis          nginx with Lua, and Redis behind it over TCP: places in a sorted set, appendfsync always
    redis unix     the same over a Unix socket

Every peer has as many workers as Usher has gateways (GATEWAYS). Used as context managers, so that nothing is left running:

    with Cluster(shards=4, gateways=1) as cluster:
        ...  # cluster.url, cluster.pids()
"""

import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1  # prctl(2)
WORKERS = os.environ.get("GATEWAYS") or "1"  # of others than Usher: as many as it has gateways
DEFERRED = "deferred"  # nginx takes connections once there is something to read (TCP_DEFER_ACCEPT), as Usher does
SCHEDULES = 240  # of each concert of the default catalogue


class ServerError(Exception):
    """A server that does not start, does not get ready, or does not stop; the text says what to do."""


def raise_descriptor_limit():
    """Thousands of connections need as many descriptors; many shells allow 1,024 until asked for more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if most == resource.RLIM_INFINITY else min(most, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def stop_on_signals():
    """SIGTERM and SIGHUP end Python as Ctrl-C does: through every `finally` and `with`."""

    def leave(number, _frame):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def end_with_parent():
    """Called in a new child: the kernel ends it when its parent dies, even by SIGKILL."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_ports(count):
    """Ports of 127.0.0.1 that were free a moment ago."""
    with contextlib.ExitStack() as open_sockets:
        ports = []
        for _ in range(count):
            probe = open_sockets.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
        return ports


def children_of(pid):
    """The living descendants of a process, from /proc."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile
                parents[int(entry.name)] = int(stat_of(entry.name)[1])
    found, todo = [], [pid]
    while todo:
        parent = todo.pop()
        children = [each for each, its_parent in parents.items() if its_parent == parent]
        found += children
        todo += children
    return found


def stat_of(pid):
    """The fields of /proc/PID/stat from the third (state) on; the second, the name, may have spaces and brackets."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def cpu_times(pids):
    """User and system seconds of these processes so far, with all their threads and without their children."""
    fields = [stat_of(pid) for pid in pids]
    user, system = (sum(int(each[at]) for each in fields) for at in (11, 12))  # utime, stime
    return user / os.sysconf("SC_CLK_TCK"), system / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """User and system time together."""
    return sum(cpu_times(pids))


def resident_bytes(pid):
    """Memory of a process that is resident."""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def pinned(pids, core):
    """All threads of these processes on one core, and afterwards where they were before. Without two cores nothing moves."""
    usual = {}
    if {0, 1} <= os.sched_getaffinity(0):
        for pid in pids:
            for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
                usual[int(thread.name)] = os.sched_getaffinity(int(thread.name))
                os.sched_setaffinity(int(thread.name), {core})
    try:
        yield
    finally:
        for thread, cores in usual.items():
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.sched_setaffinity(thread, cores)


def get_json(url, timeout=2.0):
    """The JSON that a GET answers."""
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return json.loads(answer.read())


@contextlib.contextmanager
def scratch_folder(name, parent=None):
    """A folder that is gone afterwards."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"usher-{name}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def answers(url):
    """Whether a GET is answered 200; raises OSError where it is not."""
    with urllib.request.urlopen(url, timeout=2):
        return True


def program(name, section):
    """The path of a program; `section` of packages.txt has its package."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise ServerError(f"no {name} here; `deploy/setup {section}` installs it")
    return path


class Server:
    """A child process with a folder of its own."""

    def __init__(self, name, parent=None):
        """`parent` is the folder that its folder is made in; else that of temporary folders."""
        self.name = name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"usher-{name}-", dir=parent))
        self.log = self.folder / f"{name}.log"
        self.process = None

    def start(self, command, is_ready):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us first, so that we stop it in order
                preexec_fn=end_with_parent,
            )
        deadline = time.monotonic() + READY_SECONDS_MAX
        while True:
            if self.process.poll() is not None:
                raise ServerError(f"{self.name} ended with {self.process.returncode} at once:\n{self.log_tail()}")
            with contextlib.suppress(OSError):
                if is_ready():
                    return
            if time.monotonic() > deadline:
                raise ServerError(f"{self.name} is not ready after {READY_SECONDS_MAX} s:\n{self.log_tail()}")
            time.sleep(0.05)

    def log_tail(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-20:])

    def stop(self):
        """Asks it to end, waits, kills it with all its children if it does not, and removes the folder."""
        try:
            if self.process is not None and self.process.poll() is None:
                family = children_of(self.process.pid)
                self.process.terminate()
                try:
                    self.process.wait(STOP_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    for pid in [self.process.pid, *family]:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                    self.process.wait()
                    raise ServerError(f"{self.name} did not stop in {STOP_SECONDS_MAX} s; killed:\n{self.log_tail()}")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self):
        return [self.process.pid, *children_of(self.process.pid)]

    def __enter__(self):
        try:
            self.launch()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()


class Cluster(Server):
    """An `usher cluster` on free ports with a state folder of its own."""

    def __init__(self, shards, gateways, flags=(), parent=None):
        super().__init__("cluster", parent)
        self.shards, self.gateways, self.flags = shards, gateways, flags
        self.port, self.operator_port = free_ports(2)
        self.state = self.folder / "state"
        self.url = f"http://127.0.0.1:{self.port}"
        self.operator_url = f"http://127.0.0.1:{self.operator_port}"

    def launch(self):
        usher = pathlib.Path(os.environ.get("USHER") or ROOT / ".build/release/usher")
        if not usher.exists():
            raise ServerError(f"no {usher}; `make build` makes it")
        command = [usher, "cluster", "--shards", self.shards, "--gateways", self.gateways, "--port", self.port]
        command += ["--operator-port", self.operator_port, "--state", self.state, *self.flags]
        self.start([str(word) for word in command], self.is_ready)

    def is_ready(self):
        """The gateway is ready a moment before the supervisor writes the list of processes."""
        return answers(f"{self.operator_url}/readyz") and (self.state / "cluster.json").exists()

    def members(self):
        """Process ids by role, as the supervisor wrote them: `supervisor`, and lists of `shards` and `gateways`."""
        return json.loads((self.state / "cluster.json").read_text())

    def pids(self):
        record = self.members()
        return [record["supervisor"], *record["shards"], *record["gateways"]]


class Nginx(Server):
    """nginx with nginx-return-200.conf, on a free port of loopback, or on a Unix socket in its folder.

    `schedules` is the list that it answers, by default 240 like those of Usher's catalogue; from nginx's memory, or from a
    file in the page cache (`from_file`).
    """

    def __init__(self, schedules=None, from_file=False, on_socket=False):
        super().__init__("nginx")
        self.schedules = schedules or self.some_schedules()
        self.from_file = from_file
        self.socket = self.folder / "nginx.sock" if on_socket else None
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"

    def launch(self):
        address = f"unix:{self.socket}" if self.socket else f"127.0.0.1:{self.port} {DEFERRED}"
        (self.folder / "listen.conf").write_text(f"listen {address} backlog=4096;\n")
        (self.folder / "schedules.json").write_text(self.schedules)
        (self.folder / "schedules.conf").write_text(self.file_directives() if self.from_file else self.directives())
        self.start(nginx_command(self.folder, "nginx-return-200.conf"), self.is_ready)

    def is_ready(self):
        return self.socket.exists() if self.socket else answers(f"{self.url}/api/v1/waiting")

    @staticmethod
    def some_schedules():
        schedules = [
            {
                "concertScheduleId": 10000 + number,
                "concertId": 1,
                "playDateTime": f"2027-{1 + number // 28:02}-{1 + number % 28:02} 19:00:00",
                "remainingSeatCount": 50,
            }
            for number in range(SCHEDULES)
        ]
        return json.dumps(schedules, separators=(",", ":"))

    def directives(self):
        """The list in pieces, because a word of nginx's configuration may have 4 kB."""
        pieces = [self.schedules[at : at + 3500] for at in range(0, len(self.schedules), 3500)]
        lines = [f"set $piece_{index}_ '{piece}';" for index, piece in enumerate(pieces)]
        lines.append('return 200 "' + "".join(f"$piece_{index}_" for index in range(len(pieces))) + '";')
        return "\n".join(lines) + "\n"

    def file_directives(self):
        return f"alias {self.folder}/schedules.json;\netag off;\nmax_ranges 0;\n"  # the fewest bytes


def nginx_command(folder, configuration):
    """nginx in this folder, with its configuration copied there."""
    (folder / "workers.conf").write_text(f"worker_processes {WORKERS};\n")
    command = [program("nginx", "bench"), "-p", str(folder), "-c", shutil.copy(HERE / configuration, folder)]
    if os.geteuid() == 0:
        command += ["-g", "user root;"]  # else its worker could not reach the files and sockets in our folders
    return command


class Redis(Server):
    """redis-server on a Unix socket in its folder and on a free port of loopback, with an append-only file that it syncs
    always."""

    def __init__(self, parent):
        super().__init__("redis", parent)
        self.socket = self.folder / "redis.sock"
        [self.port] = free_ports(1)

    def launch(self):
        # No snapshots and no rewriting of the file, because neither is part of a join; Usher compacts nothing meanwhile.
        settings = ["--bind", "127.0.0.1", "--port", self.port, "--unixsocket", self.socket, "--dir", self.folder]
        settings += ["--daemonize", "no", "--save", ""]
        settings += ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"]
        self.start([program("redis-server", "bench"), *(str(word) for word in settings)], self.is_ready)

    def is_ready(self):
        return self.ask("PING") == b"+PONG"

    def ask(self, *words):
        """One command, its answer's first line."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            parts = [str(word).encode() for word in words]
            connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts))
            return connection.makefile("rb").readline().rstrip()


class NginxWithRedis(Server):
    """nginx with nginx-redis.conf on a free port, and a Redis behind it, reached by `transport`: tcp or unix."""

    def __init__(self, transport, parent):
        super().__init__("nginx", parent)
        self.redis = Redis(parent)
        addresses = {"tcp": f"'127.0.0.1', {self.redis.port}", "unix": f"'unix:{self.redis.socket}'"}
        self.address = addresses[transport]
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"

    def launch(self):
        self.redis.launch()
        script = (HERE / "redis-join.lua").read_text()
        self.redis.ask("SCRIPT", "LOAD", script)
        (self.folder / "redis.conf.lua").write_text(
            f"return {{address = {{{self.address}}}, sha = '{hashlib.sha1(script.encode()).hexdigest()}', "
            f"script = [==[{script}]==]}}\n"
        )
        (self.folder / "listen.conf").write_text(f"listen 127.0.0.1:{self.port} {DEFERRED} backlog=4096;\n")
        shutil.copy(HERE / "nginx-redis.lua", self.folder)
        self.start(nginx_command(self.folder, "nginx-redis.conf"), lambda: answers(f"{self.url}/healthz"))

    def stop(self):
        try:
            super().stop()
        finally:
            self.redis.stop()

    def pids(self):
        return super().pids() + self.redis.pids()


class Forward(Server):
    """nginx or HAProxy on a free port, forwarding to the nginx behind it."""

    def __init__(self, kind, behind):
        super().__init__(f"{kind}-forward")
        self.kind, self.behind = kind, behind
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"

    def launch(self):
        self.behind.launch()
        if self.kind == "nginx":
            (self.folder / "listen.conf").write_text(f"listen 127.0.0.1:{self.port} {DEFERRED} backlog=4096;\n")
            (self.folder / "upstream.conf").write_text(f"server unix:{self.behind.socket};\n")
            command = nginx_command(self.folder, "nginx-forward.conf")
        else:
            command = ["env", f"PORT={self.port}", f"SOCKET={self.behind.socket}", f"WORKERS={WORKERS}"]
            command += [program("haproxy", "bench"), "-db", "-f", str(HERE / "haproxy.cfg")]
        self.start(command, lambda: answers(f"{self.url}/api/v1/waiting"))

    def stop(self):
        try:
            super().stop()
        finally:
            self.behind.stop()

    def pids(self):
        return super().pids() + self.behind.pids()


def peer(name, schedules, disk):
    """A peer by its name, not started. `schedules` is the list that it answers; Redis keeps its file in a folder on `disk`."""
    return {
        "nginx": lambda: Nginx(schedules),
        "nginx file": lambda: Nginx(schedules, from_file=True),
        "nginx nginx": lambda: Forward("nginx", Nginx(schedules, on_socket=True)),
        "haproxy nginx": lambda: Forward("haproxy", Nginx(schedules, on_socket=True)),
        "redis": lambda: NginxWithRedis("tcp", disk),
        "redis unix": lambda: NginxWithRedis("unix", disk),
    }[name]()
