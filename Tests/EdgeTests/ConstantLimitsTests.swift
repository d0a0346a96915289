import Booking
import Configuration
import Testing

@testable import Edge

/// Limits of clients that are no settings.
@Suite struct ConstantLimitsTests {
    private static func now(_ name: String) -> String? { RemovedSetting.all.first { $0.name == name }?.now }

    @Test func `what is said of settings that are gone is so`() {
        let limits = ServerConfiguration().httpLimits
        #expect(Self.now("gateway.pipelinedRequestsMax") == "\(limits.pipelinedMax) requests")
        #expect(Self.now("gateway.ipv6PrefixBits") == "\(ClientGate.prefixBits) bits")
        #expect(Self.now("gateway.answerBytesPerRequest") == "\(ClientGate.bytesPerRequest) bytes")
        #expect(Self.now("gateway.rateBucketsMax") == "\(ClientGate.bucketsMax) clients")
    }

    @Test func `times of a request and of an answer follow from one setting each`() {
        var configuration = ServerConfiguration()
        #expect(
            configuration.httpLimits.headTimeout == .seconds(10) && configuration.httpLimits.bodyTimeout == .seconds(10)
        )
        #expect(configuration.httpLimits.writeTimeout == .seconds(30))
        configuration.gateway.answerTimeoutSeconds = 1
        #expect(configuration.httpLimits.writeTimeout == .seconds(2))
    }
}
