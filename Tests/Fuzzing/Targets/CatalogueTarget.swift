import Booking
import Wire

@testable import Configuration

/// Catalogue files. An accepted file is a catalogue that a gateway can show and a shard can sell; a refused one is
/// reported as mistakes, each with its place.
enum CatalogueTarget {
    private static let configuration = ServerConfiguration()
    private static let zone = Self.configuration.zone
    /// Files may ask for 100,000 schedules and halls of 200,000 seats, which is valid and slow.
    private static let numberMax = 2_000

    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        let tree: JSONTree
        do throws(JSONSyntaxError) { tree = try JSONTree.read(Array(input)).tree } catch {
            return try require(!error.description.isEmpty, "a document that is no JSON is refused without a word")
        }
        guard !self.isLarge(tree) else { return }
        let catalogue: Catalogue
        do throws(ConfigurationMistakes) {
            catalogue = try CatalogueFile.read(tree, path: "catalogue.json", self.configuration, zone: self.zone)
        } catch {
            try require(!error.list.isEmpty, "a catalogue is refused without a mistake")
            for mistake in error.list {
                try require(mistake.place.hasPrefix("catalogue.json"), "a mistake has no place: \(mistake)")
            }
            return
        }
        try require(!catalogue.concerts.isEmpty, "a catalogue without concerts was taken")
        try self.checkUse(of: catalogue)
    }

    private static func checkUse(of catalogue: Catalogue) throws(BrokenProperty) {
        let writer = AnswerWriter(catalogue: catalogue, zone: self.zone.table)
        try self.checkList(writer.concertsBody(at: Timestamp(seconds: 0)))
        let shard = Shard(index: 0, slots: SlotMap(shardCount: 1), catalogue: catalogue, hashSeed: 1)
        shard.checkInvariants()
        for concert in catalogue.concerts {
            let free = concert.schedules.map { $0.hall.seatCount }
            try self.checkList(writer.schedulesBody(free.map { UInt32($0) }, of: .schedules(concert.id)))
            for schedule in concert.schedules {
                try require(schedule.playsAt > .distantPast, "a schedule plays never")
                try require((1...Hall.seatCountMax).contains(schedule.hall.seatCount), "a hall has no seats")
            }
        }
    }

    /// A list is JSON if its only fault is not being an object.
    private static func checkList(_ body: [UInt8]) throws(BrokenProperty) {
        var code: InputError.Code?
        body.withUnsafeBytes { bytes in
            do throws(InputError) { _ = try JSONObject(ByteView(bytes)) } catch { code = error.code }
        }
        try require(code == .jsonNotObject, "a list of the catalogue is no JSON: \(String(describing: code))")
    }

    private static func isLarge(_ tree: JSONTree) -> Bool {
        switch tree {
        case .list(let elements): elements.contains { self.isLarge($0) }
        case .object(let members):
            members.contains { name, value in
                if case .whole(let number) = value, name == "count" || name == "to" { return number > self.numberMax }
                return self.isLarge(value)
            }
        case .null, .truth, .whole, .number, .text: false
        }
    }
}
