/// Where the client's address comes from. One of them only: were two believed, a client could send the one that the
/// proxy in front does not write.
public enum ClientAddressSource: String, CaseIterable, Sendable {
    case peer, proxy, forwarded
    case forwardedFor = "x-forwarded-for"
}
