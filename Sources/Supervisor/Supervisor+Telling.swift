import Booking
import Configuration
import Glibc
import Links
import Logging
import Reactor
import StandardStreams

/// The supervisor's reports: its log, progress of a rolling restart, `cluster.json` for tools, and the start's text on
/// the terminal.
extension Supervisor {
    func tell(_ note: Supervision.Note) {
        switch note {
        case .ready(let member): self.log.debug("process ready", metadata: ["member": "\(member)"])
        case .died(let member, let how, let deaths, let pause):
            // During a longer pause no client shall wait in its backlog while other gateways serve.
            if member.role == .gateway, pause > Supervision.longestServicePause {
                for port in self.ports { port.leave(member.index) }
            }
            self.log.warning(
                "process died",
                metadata: [
                    "member": "\(member)", "how": "\(how)", "deaths": "\(deaths)",
                    "restarts_in_ms": "\(pause.rawValue / 1_000_000)",
                ]
            )
        case .tooSlow(let member):
            self.log.error("process not ready in time, killed", metadata: ["member": "\(member)"])
        case .hangs(let member):
            self.log.error(
                "hung process killed",
                metadata: ["member": "\(member)", "seconds": "\(self.configuration.cluster.hangTimeoutSeconds)"]
            )
        case .stopping:
            self.log.info("stopping")
            ServiceManager.tell(.stopping)
            // Else new clients would wait in a backlog that no gateway reads.
            self.ports = []
        case .killed(let member):
            self.log.warning("process not stopped in time, killed", metadata: ["member": "\(member)"])
        case .tookOver(let successor, let former):
            let pids = [successor, former].map { self.children[$0]?.process.processID ?? 0 }
            self.log.info("process replaced", metadata: ["member": "\(successor)", "pid": "\(pids[0])"])
            let rest = pids[1] == 0 ? "" : "; process \(pids[1]) finishes its requests"
            self.asker?.tell(progress: "\(successor): process \(pids[0]) serves\(rest)")
        case .goesBack(let member, let why):
            self.log.error(
                "new binary did not become ready; rolled back",
                metadata: ["member": "\(member)", "reason": "\(why)"]
            )
            self.asker?.tell(progress: "\(member): \(why); rolled back to the former program")
        }
    }

    /// After a failure, as on a full disk, the old file stays, with dead process ids, until a retry succeeds.
    func writeClusterFile() {
        func pids(_ role: Supervision.Role) -> [Int32] {
            self.machine.members.filter { $0.role == role }.map { self.children[$0]?.process.processID ?? 0 }
        }
        let file = ClusterFile(
            supervisor: getpid(),
            shards: pids(.shard),
            gateways: pids(.gateway),
            host: self.configuration.gateway.host,
            port: self.configuration.gateway.port,
            operatorHost: self.configuration.operator.host,
            operatorPort: self.configuration.operator.port
        )
        do throws(FileError) {
            try file.write(to: self.state)
            if self.isClusterFileDue { self.log.info("cluster file written") }
            self.isClusterFileDue = false
        } catch {
            if !self.isClusterFileDue {
                self.log.error(
                    "cluster file not written, tried again every second",
                    metadata: ["reason": "\(error)"]
                )
            }
            self.isClusterFileDue = true
        }
    }

    /// Once a second.
    func writeClusterFileIfDue() { if self.isClusterFileDue { self.writeClusterFile() } }

    func sayWhereToLook() {
        let (cluster, gateway, operators) = (
            self.configuration.cluster, self.configuration.gateway, self.configuration.operator
        )
        func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        let text = """
            Usher is up: \(count(cluster.shards, "shard")), \(count(cluster.gateways, "gateway")).
              clients    http://\(Self.reachable(gateway.host, gateway.port))
              operator   http://\(Self.reachable(operators.host, operators.port))/stats
              state      \(self.state.path)
              look       usher stats --state \(self.state.path)
              stop       Ctrl-C, or kill \(getpid())

            """
        guard !CommandOutput.announce(text) else { return }
        self.log.warning(
            "up; not announced, as standard output can't have a thread",
            metadata: ["remedy": "\(ThreadBudget.remedy)"]
        )
    }

    /// An address that can be typed into a browser on this machine.
    private static func reachable(_ host: String, _ port: Int) -> String {
        switch host {
        case "0.0.0.0", "::": "localhost:\(port)"
        default: SocketAddress(host, port: UInt16(port))?.description ?? "\(host):\(port)"
        }
    }
}
