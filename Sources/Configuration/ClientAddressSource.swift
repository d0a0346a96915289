/// The source of the client's address. One only: if two were trusted, a client could forge the one that the proxy in
/// front does not write.
public enum ClientAddressSource: String, CaseIterable, Sendable {
    case peer, proxy, forwarded
    case forwardedFor = "x-forwarded-for"
}
