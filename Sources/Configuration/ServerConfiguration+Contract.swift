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
        return ContractDocument.Limits(limits, asksForLogin: self.identity.mode == "jwt")
    }
}
