/// A whole number as people write it: digits with an optional minus. No plus, spaces or point.
public enum IntegerText: Equatable, Sendable {
    case value(Int64)
    /// Anything but digits behind an optional minus; also empty text.
    case notANumber
    /// Digits, but beyond 64 bits.
    case outOfRange

    /// Leading zeros are accepted, `-0` is 0. Linear, no allocation.
    public init(_ text: ByteView) {
        var at = 0
        let isNegative = text.count > 0 && text.byte(0) == UInt8(ascii: "-")
        if isNegative { at = 1 }
        guard at < text.count else {
            self = .notANumber
            return
        }
        // Counted downwards, as there is one more negative number than positive.
        var value: Int64 = 0
        var hasOverflowed = false
        while at < text.count {
            let digit = text.byte(at) &- 0x30
            guard digit <= 9 else {
                self = .notANumber
                return
            }
            let (tens, first) = value.multipliedReportingOverflow(by: 10)
            let (next, second) = tens.subtractingReportingOverflow(Int64(digit))
            if first || second { hasOverflowed = true }
            value = hasOverflowed ? 0 : next
            at += 1
        }
        if hasOverflowed || (!isNegative && value == .min) {
            self = .outOfRange
        } else {
            self = .value(isNegative ? value : -value)
        }
    }
}
