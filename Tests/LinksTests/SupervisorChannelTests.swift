import Testing

@testable import Links

@Suite struct LifelineTests {
    @Test func `a message comes back from its line`() {
        let messages: [SupervisorChannel.Message] = [
            .ready(.init()), .ready(.init(port: 8_080, operatorPort: 8_081)),
            .failed(.init(reason: "no \"room\"\nleft")), .journal(.init(bytes: .max)),
            .compacted(.init(text: "facts 1 to 2")), .clock(.init(isSuspended: true)), .pong, .busy,
        ]
        for message in messages {
            #expect(message.line.hasSuffix("\n"))
            #expect(message.line.dropLast().contains("\n") == false)
            #expect(SupervisorChannel.Message(line: message.line.dropLast()) == message)
        }
    }

    @Test(arguments: [
        "", "ready", "ready {", "ready {}", "READY {\"pid\":1}", "failed {\"reason\":1}", "hello {\"pid\":1}",
    ])
    func `a line that is no message is none`(line: String) { #expect(SupervisorChannel.Message(line: line) == nil) }
}
