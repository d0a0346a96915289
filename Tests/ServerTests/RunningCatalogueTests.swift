import Foundation
import Glibc
import Reactor
import Testing

@testable import Configuration

/// A running cluster goes by the catalogue of its start, and the next start by the file as it is then.
@Suite(.serialized) struct RunningCatalogueTests {
    /// The catalogue's file of a test, which goes with it.
    private final class File {
        let path = "/tmp/usher-k\(UInt32.random(in: 0 ... .max)).json"
        deinit { unlink(self.path) }
        func write(text: String) throws { try text.write(toFile: self.path, atomically: true, encoding: .utf8) }

        func write(price: Int = 1_000, _ concerts: String...) throws {
            try self.write(
                text: """
                    {"halls": [{"name": "h", "sections": [{"from": 1, "to": 9, "grade": "A", "price": \(price)}]}],
                     "concerts": [\(concerts.joined(separator: ", "))]}
                    """
            )
        }
    }

    private static let past = "2020-02-29 19:00:00"
    private static let future = "2040-02-29 19:00:00"

    private static func concert(_ id: Int, _ plays: (id: Int, at: String)...) -> String {
        let schedules = plays.map { #"{"id": \#($0.id), "playDateTime": "\#($0.at)"}"# }.joined(separator: ", ")
        let opensAt = "2020-01-01 00:00:00"
        return #"{"id": \#(id), "title": "t", "opensAt": "\#(opensAt)", "hall": "h", "schedules": [\#(schedules)]}"#
    }

    private static func start(_ file: File, in state: StateDirectory = TestCluster.freshState()) throws -> TestCluster {
        let cluster = try TestCluster(
            in: state,
            arguments: ["--catalogue", file.path, "--set", "journal.kind=sqlite", "--shards", "1"]
        )
        return cluster
    }

    private static func client(_ cluster: TestCluster) throws -> BookingClient {
        BookingClient(port: try cluster.file().port)
    }

    private static func stop(_ cluster: TestCluster) {
        cluster.signal(SIGTERM)
        #expect(cluster.waitUntilOver() == 0)
    }

    /// Seat 1 for user 1.
    private static func buy(_ client: BookingClient, _ concert: Int, _ schedule: Int) throws -> [Int64] {
        let token = try client.enter(concert, 1)
        _ = try client.charge(1, 100_000)
        let ids = try client.reserve(concert, schedule, [1], token).json.eachWhole("reservationId")
        #expect(try client.pay(concert, ids, token).status == 200)
        return ids
    }

    @Test func `another file, half of one and none are nothing to processes that start again`() throws {
        let file = File()
        try file.write(Self.concert(1, (11, Self.future)), Self.concert(2, (21, Self.future)))
        let cluster = try Self.start(file)
        try cluster.waitUntilUp()
        #expect(FileStatus(cluster.state.catalogueFile)?.mode == 0o600)
        let client = try Self.client(cluster)
        let ids = try Self.buy(client, 1, 11)
        let concerts = try client.call("GET", "/api/v1/concerts").text
        let edits: [() throws -> Void] = [
            { try file.write(price: 2_000, Self.concert(3, (11, Self.future))) },
            { try file.write(text: #"{"halls": [{"na"#) },
            { unlink(file.path) },
        ]
        for (round, edit) in edits.enumerated() {
            try edit()
            let before = try cluster.file()
            kill(before.shards[0], SIGKILL)
            kill(before.gateways[0], SIGKILL)
            try TestCluster.eventually("both serve again") {
                let now = try cluster.file()
                guard now.shards[0] != before.shards[0], now.gateways[0] != before.gateways[0] else { return false }
                guard now.shards[0] > 0, now.gateways[0] > 0 else { return false }
                return (try? client.seats(1, 11).status) == 200
            }
            #expect(try client.call("GET", "/api/v1/concerts").text == concerts)
            #expect(try client.reservations(1, 1).json.eachWhole("reservationId") == ids)
            #expect(try client.seats(1, 11).json.list[0]["seatPrice"] == 1_000)
            let token = try client.enter(2, 2)
            let held = try client.reserve(2, 21, [round + 1], token)
            #expect(held.json.list.first?["seatPrice"] == 1_000, "\(held.text)")
            let compaction = try UsherCommand.run(["journal", "compact", "--state", cluster.state.path])
            #expect(compaction.status == 0, "\(compaction.errors)")
        }
        let rolling = try UsherCommand.run("restart", cluster.state, "--rolling")
        #expect(rolling.status == 0, "\(rolling.errors)")
        #expect(try client.call("GET", "/api/v1/concerts").text == concerts)
        // The settings of another place name another catalogue; these journals were written with that of the start.
        try file.write(Self.concert(3, (31, Self.future)))
        let elsewhere = try UsherCommand.run([
            "journal", "compact", "--state", cluster.state.path, "--catalogue", file.path,
        ])
        #expect(elsewhere.status == 0, "\(elsewhere.errors)")
        Self.stop(cluster)
    }

    @Test func `a changed catalogue is said to wait for the next start, which takes it`() throws {
        let file = File()
        try file.write(Self.concert(1, (11, Self.future)))
        let cluster = try Self.start(file)
        try cluster.waitUntilUp()
        let check = ["config", "check", "--state", cluster.state.path, "--catalogue", file.path]
        let words = "the cluster running in \(cluster.state.path) uses the catalogue of its start; this one applies"
        #expect(try !UsherCommand.run(check).output.contains(words))
        #expect(try UsherCommand.run("reload", cluster.state).output == "No setting that can change now has changed.\n")

        try file.write(price: 2_000, Self.concert(1, (11, Self.future)))
        #expect(try UsherCommand.run(check).output.contains(words))
        let reload = try UsherCommand.run("reload", cluster.state)
        #expect(reload.output.contains("The catalogue has changed: it waits for the next start."), "\(reload)")
        #expect(cluster.errorText.contains("catalogue=\"changed, waits for the next start\""))
        #expect(try Self.client(cluster).seats(1, 11).json.list[0]["seatPrice"] == 1_000)

        try file.write(text: "{")
        let broken = try UsherCommand.run("reload", cluster.state)
        #expect(broken.status == 0 && broken.output.contains("the next start would refuse what is there now"))
        #expect(broken.output.contains("the catalogue is not JSON"), "\(broken)")

        try file.write(price: 2_000, Self.concert(1, (11, Self.future)))
        Self.stop(cluster)
        let next = try Self.start(file, in: cluster.state)
        try next.waitUntilUp()
        #expect(try Self.client(next).seats(1, 11).json.list[0]["seatPrice"] == 2_000)
        Self.stop(next)
    }

    @Test func `what is over may be taken out, and its buyers still read what they bought`() throws {
        let file = File()
        try file.write(Self.concert(1, (11, Self.future)), Self.concert(2, (21, Self.future), (22, Self.future)))
        let first = try Self.start(file)
        first.forget()
        try first.waitUntilUp()
        let ids = try Self.buy(try Self.client(first), 1, 11)
        let other = try Self.buy(try Self.client(first), 2, 21)
        Self.stop(first)

        // Not over, so they stay; and the start that was refused has changed nothing.
        let copy = try TextFile.read(first.state.catalogueFile)
        for concerts in [Self.concert(2, (21, Self.future), (22, Self.future)), Self.concert(1, (11, Self.future))] {
            try file.write(concerts)
            let refused = try Self.start(file, in: first.state)
            refused.forget()
            #expect(refused.waitUntilOver() == 1)
            #expect(refused.errorText.contains("put it back"), "\(refused.errorText)")
            #expect(try TextFile.read(first.state.catalogueFile) == copy)
        }

        // The evenings were years ago, all of a sudden.
        try file.write(Self.concert(1, (11, Self.past)), Self.concert(2, (21, Self.past), (22, Self.future)))
        let over = try Self.start(file, in: first.state)
        over.forget()
        try over.waitUntilUp()
        #expect(try Self.client(over).call("GET", "/api/v1/concerts").json.each("state") == ["OVER", "OPEN"])
        Self.stop(over)

        try file.write(Self.concert(2, (22, Self.future)))
        for round in 0..<2 {
            let archived = try Self.start(file, in: first.state)
            archived.forget()
            try archived.waitUntilUp()
            let words = "past concerts kept, though no longer in the catalogue  concerts=1"
            #expect(archived.errorText.contains(words), "\(archived.errorText)")
            let client = try Self.client(archived)
            let listed = try client.call("GET", "/api/v1/concerts").json
            #expect(listed.eachWhole("concertId") == [2] && listed.eachWhole("scheduleCount") == [1])
            #expect(try client.schedules(2).json.eachWhole("concertScheduleId") == [22])
            #expect(try client.schedules(2).json.eachWhole("remainingSeatCount") == [9])
            #expect(try client.schedules(1).json.list.isEmpty)
            for (concert, bought) in [(1, ids), (2, other)] {
                let mine = try client.reservations(concert, 1).json
                #expect(mine.eachWhole("reservationId") == bought && mine.each("reservationStatus") == ["SUCCESS"])
                #expect(mine.each("playDateTime") == ["2020-02-29 19:00:00"])
            }
            ContractTests.expect(try client.join(1, 2), 400, "CONCERT_OVER")
            ContractTests.expect(try client.cancel(1, 1, ids), 400, "CANCEL_TOO_LATE")
            #expect(try client.enter(2, 2 + round).isEmpty == false)
            let compaction = try UsherCommand.run(["journal", "compact", "--state", archived.state.path])
            #expect(compaction.status == 0, "\(compaction.errors)")
            Self.stop(archived)
        }

        // Put back, it is listed again.
        try file.write(Self.concert(1, (11, Self.past)), Self.concert(2, (22, Self.future)))
        let back = try Self.start(file, in: first.state)
        try back.waitUntilUp()
        #expect(try Self.client(back).call("GET", "/api/v1/concerts").json.eachWhole("concertId") == [1, 2])
        #expect(try Self.client(back).schedules(1).json.eachWhole("concertScheduleId") == [11])
        Self.stop(back)
    }

    @Test func `what was sold keeps its grade when sections move, through kills and compactions`() throws {
        let file = File()
        func write(_ sections: String) throws {
            try file.write(
                text: """
                    {"halls": [{"name": "h", "sections": [\(sections)]}], "concerts": [\(Self.concert(1, (11, Self.future)))]}
                    """
            )
        }
        try write(#"{"from": 1, "to": 9, "grade": "VIP", "price": 1000}"#)
        let first = try Self.start(file)
        first.forget()
        try first.waitUntilUp()
        _ = try Self.buy(try Self.client(first), 1, 11)
        Self.stop(first)
        try write(#"{"from": 1, "to": 9, "grade": "입석", "price": 500}"#)
        let next = try Self.start(file, in: first.state)
        try next.waitUntilUp()
        let client = try Self.client(next)
        for round in 0..<2 {
            let mine = try client.reservations(1, 1).json
            #expect(mine.each("seatGrade") == ["VIP"] && mine.eachWhole("seatPrice") == [1_000], "round \(round)")
            #expect(try client.seats(1, 11).json.list[0]["seatGrade"] == "입석")
            guard round == 0 else { break }
            let compaction = try UsherCommand.run(["journal", "compact", "--state", next.state.path])
            #expect(compaction.status == 0, "\(compaction.errors)")
            let before = try next.file().shards[0]
            kill(before, SIGKILL)
            try TestCluster.eventually("the shard is back") {
                let now = try next.file().shards[0]
                return now != before && now > 0
            }
        }
        let held = try client.reserve(1, 11, [2], try client.enter(1, 2)).json
        #expect(held.each("seatGrade") == ["입석"] && held.eachWhole("seatPrice") == [500])
        Self.stop(next)
    }

    @Test func `a copy that somebody has cut off stops the start in words`() throws {
        let file = File()
        try file.write(Self.concert(1, (11, Self.future)))
        let first = try Self.start(file)
        first.forget()
        try first.waitUntilUp()
        Self.stop(first)
        try "{".write(toFile: first.state.catalogueFile, atomically: true, encoding: .utf8)
        let refused = try Self.start(file, in: first.state)
        refused.forget()
        #expect(refused.waitUntilOver() == 1)
        #expect(refused.errorText.contains("\(first.state.catalogueFile): the catalogue of the cluster's last start"))
        unlink(first.state.catalogueFile)
        let again = try Self.start(file, in: first.state)
        try again.waitUntilUp()
        Self.stop(again)
    }
}
