public import Wire

/// The settings that clients and their makers have to know, as the contract tells them.
extension ServerConfiguration {
    /// Every number of the gateway and of booking that has a unit: sizes, times, rates, counts; and whether users have to be logged in.
    public var contractLimits: ContractDocument.Limits {
        let limits: [ContractDocument.Limit] = Settings.all.compactMap { setting in
            guard setting.name.hasPrefix("gateway.") || setting.name.hasPrefix("booking."), let unit = setting.unit,
                let value = Int(setting.text(in: self))
            else { return nil }
            return ContractDocument.Limit(
                name: setting.name,
                value: value,
                unit: unit,
                meaning: setting.explanation
            )
        }
        return ContractDocument.Limits(limits + Self.constantLimits, asksForLogin: self.identity.mode == "jwt")
    }

    /// Bounds of a request that are no settings.
    private static let constantLimits: [ContractDocument.Limit] = {
        let http = HTTPLimits()
        return [
            ContractDocument.Limit(
                name: "gateway.targetBytesMax",
                value: http.targetBytesMax,
                unit: "bytes",
                meaning: "Length of a request's target; longer ones are answered 414."
            ),
            ContractDocument.Limit(
                name: "gateway.headerBytesMax",
                value: http.headerBytesMax,
                unit: "bytes",
                meaning: "Length of a request's header fields; longer ones are answered 431."
            ),
            ContractDocument.Limit(
                name: "gateway.headerCountMax",
                value: http.headerCountMax,
                unit: "fields",
                meaning: "Header fields of a request; more are answered 431."
            ),
        ]
    }()
}
