import FoundationEssentials

extension Encodable {
    /// As text, for a stats frame or the operator's port.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        do { return String(decoding: try encoder.encode(self), as: UTF8.self) } catch {
            preconditionFailure("statistics are no JSON: \(error)")
        }
    }
}
