import Booking
import Seeded
import Testing
import Wire

@Suite struct FactBytesTests {
    private func encode(_ fact: Fact) -> [UInt8] { bytes { fact.encode(into: &$0) } }

    private func decode(_ bytes: [UInt8], count: Int = 1) throws -> [Fact] {
        var facts: [Fact] = []
        try bytes.withUnsafeBytes { try Fact.forEach(in: $0, count: count) { facts.append($0) } }
        return facts
    }

    @Test func `every kind has its golden bytes, for ever`() throws {
        for (fact, hex) in FrameSamples.facts {
            #expect(self.encode(fact).hex == hex, "\(fact)")
            #expect(try self.decode([UInt8](hex: hex)) == [fact])
        }
        let kinds = FrameSamples.facts.map { [UInt8](hex: $0.hex)[0] }
        #expect(Set(kinds) == Set(Fact.Kind.allCases.map(\.rawValue)))
    }

    @Test(arguments: [1, 2] as [UInt64]) func `random batches come back as they went`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for step in 0..<300 {
            let facts = (0..<Int.random(in: 0...12, using: &random)).map { _ in random.fact() }
            let batch = bytes { buffer in for fact in facts { fact.encode(into: &buffer) } }
            #expect(try self.decode(batch, count: facts.count) == facts, "seed \(seed) step \(step)")
        }
    }

    @Test func `a fact cut anywhere is refused`() {
        for (fact, hex) in FrameSamples.facts {
            let whole = [UInt8](hex: hex)
            for count in whole.indices {
                #expect(throws: WireError.self, "\(fact) cut at \(count)") { try self.decode(Array(whole[..<count])) }
            }
        }
    }

    @Test func `a fact with any one byte changed decodes or throws`() {
        for (_, hex) in FrameSamples.facts {
            var fact = [UInt8](hex: hex)
            for position in fact.indices {
                let original = fact[position]
                for value in UInt8.min...UInt8.max {
                    fact[position] = value
                    _ = try? self.decode(fact)
                }
                fact[position] = original
            }
        }
    }

    @Test func `a batch has neither fewer nor more facts than it says`() {
        let batch = [UInt8](hex: FrameSamples.facts[0].hex + FrameSamples.facts[1].hex)
        #expect((try? self.decode(batch, count: 2))?.count == 2)
        #expect(throws: WireError.self) { try self.decode(batch, count: 1) }
        #expect(throws: WireError.self) { try self.decode(batch, count: 3) }
        #expect((try? self.decode([], count: 0)) == [])
    }

    @Test func `an unknown kind and a newer layout are named`() {
        var unknown = [UInt8](hex: FrameSamples.facts[0].hex)
        unknown[0] = 77
        #expect(throws: WireError("fact kind 77 is not known to this version: a newer one wrote it")) {
            try self.decode(unknown)
        }
        for layout in [0, 3] as [UInt8] {
            var newer = [UInt8](hex: FrameSamples.facts[4].hex)
            newer[1] = layout
            #expect(throws: WireError("fact held has layout \(layout), and this version reads layouts up to 2")) {
                try self.decode(newer)
            }
        }
    }

    @Test func `a hold that is not fresh is never recorded as one`() async {
        await #expect(processExitsWith: .failure) {
            var buffer = FrameBytes()
            Fact.held(ConcertID(1), FrameSamples.paid).encode(into: &buffer)
        }
    }
}
