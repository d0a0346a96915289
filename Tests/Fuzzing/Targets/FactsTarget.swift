import Booking
import Wire

/// Batches of facts, as in the journal: a batch that is read is written as the same bytes.
///
///     │ count u8 │ facts ... │
enum FactsTarget {
    static func check(_ input: UnsafeRawBufferPointer) throws(BrokenProperty) {
        guard let count = input.first else { return }
        let batch = UnsafeRawBufferPointer(rebasing: input[1...])
        var written = FrameBytes()
        var taken = 0
        do throws(WireError) {
            try Fact.forEach(in: batch, count: Int(count)) { fact throws(WireError) in
                fact.encode(into: &written)
                taken += 1
            }
        } catch {
            let isStart = written.withUnsafeBytes { batch.starts(with: $0) }
            return try require(isStart && taken <= Int(count), "facts before a damaged one are read otherwise")
        }
        let isSame = written.withUnsafeBytes { $0.elementsEqual(batch) }
        try require(isSame && taken == Int(count), "a batch is written otherwise than it was read")
    }
}
