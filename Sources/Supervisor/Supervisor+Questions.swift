import Booking
import Configuration
import Glibc
import JournalHistory
import Links
import Logging
import Reactor
import Statistics

/// Requests to the supervisor, over its control socket or by SIGHUP: rolling restarts and reloads of the settings.
extension Supervisor {
    func listenForQuestions() {
        do throws(UVError) {
            self.control = try ControlSocket(on: self.loop, path: self.state.controlSocket) {
                [unowned self] question, asker in
                switch question.command {
                case .restart: self.restart(question.roles ?? [], asker)
                case .trustClock: self.trustClock(asker)
                case .stats: asker.end(stats: .now(startedNanoseconds: self.startedNanoseconds))
                case .reload:
                    switch self.reload() {
                    case .success(let reloaded): asker.end(done: reloaded.text)
                    case .failure(let error): asker.end(failed: error.problem)
                    }
                }
            }
        } catch {
            self.log.error(
                "no control socket: usher cluster restart, reload and trust-clock will not work",
                metadata: ["reason": "\(error)"]
            )
        }
    }

    private func restart(_ names: [String], _ asker: ControlSocket.Asker) {
        let roles = Set(names.compactMap(Supervision.Role.init(rawValue:)))
        guard !roles.isEmpty, roles.count == Set(names).count else {
            return asker.end(failed: "the supervisor knows gateways and shards only, not \(names)")
        }
        if let refusal = self.machine.refusalOfRolling { return asker.end(failed: refusal) }
        if roles.contains(.shard), !self.configuration.journalStore.keepsHistory {
            return asker.end(
                failed:
                    "with journal.kind=\(self.configuration.journal.kind) a replaced shard loses everything: "
                    + "restart only the gateways (--only gateways)"
            )
        }
        do throws(StartError) { try self.programs.add(self.machine.newestGeneration + 1) } catch {
            return asker.end(failed: "\(error)")
        }
        self.log.info(
            "rolling restart",
            metadata: ["program": "\(self.programs.path ?? "")", "roles": "\(names.joined(separator: ", "))"]
        )
        self.asker = asker
        self.carryOut(self.machine.roll(roles, at: self.now))
    }

    /// Applies the live settings as they are now, here and in all other processes. Settings with a mistake change
    /// nothing.
    func reload() -> Result<Reloaded, StartError> {
        guard self.isUp, let loaded = self.reading() else {
            return .failure(StartError("the cluster is starting", remedy: "try again"))
        }
        do throws(StartError) {
            guard loaded.mistakes.isEmpty else {
                throw StartError(
                    "settings not reloaded, the old ones stay in force; \(ConfigurationReport.text(loaded.mistakes))",
                    remedy: "run usher config check for details"
                )
            }
            var reloaded = Reloaded(running: self.asked, read: loaded.configuration)
            reloaded.catalogue = self.news(ofCatalogue: loaded.configuration.catalogue.file)
            var configuration = self.configuration
            reloaded.apply(to: &configuration)
            try self.writeSettings(configuration)
            self.configuration = configuration
            self.asked = reloaded.configuration
            Logs.use(configuration.log)
            self.machine.timing = Self.timing(configuration)
            self.compactor?.use(configuration)
            for child in self.children.values { self.tell(.reload, to: child.process) }
            self.log.info("settings reloaded", metadata: reloaded.words.mapValues { .string($0) })
            return .success(reloaded)
        } catch {
            self.log.error("settings not reloaded, the old ones stay in force", metadata: ["reason": "\(error)"])
            return .failure(error)
        }
    }

    /// How the catalogue's file differs from the running catalogue, or what is wrong with it. Settings that the
    /// catalogue depends on are reported separately.
    private func news(ofCatalogue file: String) -> Reloaded.CatalogueNews? {
        var next = self.asked
        next.catalogue.file = file
        do throws(ConfigurationMistakes) {
            let catalogue = try CatalogueFile.load(next).archiving(self.catalogue, at: .now)
            return catalogue == self.catalogue ? nil : .changed
        } catch {
            return .mistaken(error.list)
        }
    }

    func rollingEnded(_ outcome: Supervision.RollingOutcome) {
        let asker = self.asker
        self.asker = nil
        self.programs.keep(Set(self.machine.members.map(\.generation)))
        switch outcome {
        case .done:
            self.log.info("rolling restart done")
            asker?.end(done: "All processes are replaced. The supervisor (process \(getpid())) is still the same.")
        case .failed(let why):
            self.log.error(
                "rolling restart ended early; processes already replaced are not rolled back",
                metadata: ["reason": "\(why)"]
            )
            asker?.end(failed: "the rolling restart ended early: \(why)")
        }
    }
}
