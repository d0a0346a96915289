import Booking
import Foundation
import Testing

@testable import Configuration
@testable import Wire

/// The contract's document says what the code does, all of it and nothing else.
@Suite struct ContractDocumentTests {
    @Test func `every path is in it, with the methods that it answers`() throws {
        let text = try ContractText.standard()
        let paths = RouteTable.contract.allPaths
        #expect(Set(text.document["paths"].members.keys) == Set(paths.map { "\($0.text)" }))
        for path in paths {
            let allowed = "\(path.allow)".split(separator: ", ").map(String.init)
            let documented = text.calls.filter { $0.path == "\(path.text)" }.map(\.method)
            let implied = documented.contains("GET") ? ["HEAD", "OPTIONS"] : ["OPTIONS"]
            #expect(Set(allowed) == Set(documented + implied), "\(path.text)")
            #expect(text.document["paths"]["\(path.text)"]["x-allow"].string == "\(path.allow)")
        }
    }

    @Test func `a path's name leads to it, and no other does`() {
        for path in RouteTable.contract.allPaths.map({ "\($0.text)" }) {
            #expect(Self.found(path) == path)
            for other in ["\(path)/", String(path.dropLast()), path.uppercased()] {
                #expect(Self.found(other) == nil, "\(other)")
            }
        }
    }

    @Test func `every code of an error is in it, and no other`() throws {
        let text = try ContractText.standard()
        let inCode = try PapersTests.codes()
        #expect(text.codes == inCode)
        #expect(Set(text.document["components"]["examples"].members.keys) == inCode)
    }

    @Test func `every reference leads somewhere`() throws {
        let text = try ContractText.standard()
        func check(_ value: JSONValue, _ place: String) {
            if value.has("$ref") { #expect(text.schema.resolved(value) != .null, "\(place): \(value)") }
            for (name, member) in value.members { check(member, "\(place)/\(name)") }
            for element in value.list { check(element, place) }
        }
        check(text.document, "")
        for call in text.calls {
            for link in text.response(call, 200)["links"].members.values {
                #expect(text[link["operationId"].string ?? ""] != nil, "\(call) links to \(link)")
            }
        }
    }

    @Test func `every example is as its schema says`() throws {
        let text = try ContractText.standard()
        var count = 0
        func check(_ value: JSONValue, _ place: String) {
            let value = text.schema.resolved(value)
            if value.has("schema"), value.has("example") {
                count += 1
                #expect(text.schema.mistakes(in: value["example"], by: value["schema"]) == [], "\(place)")
            }
            for (name, example) in value["examples"].members where value.has("schema") {
                count += 1
                let example = text.schema.resolved(example)["value"]
                #expect(text.schema.mistakes(in: example, by: value["schema"]) == [], "\(place)/\(name)")
            }
            for (name, member) in value.members where name != "example" { check(member, "\(place)/\(name)") }
            for element in value.list { check(element, place) }
        }
        check(text.document["paths"], "")
        check(text.document["components"]["responses"], "")
        #expect(count > 100)
    }

    @Test func `limits are those of the settings in force`() throws {
        var configuration = ServerConfiguration()
        configuration.gateway.bodyBytesMax = 4_321
        let text = try ContractText(ContractDocument.json(limits: configuration.contractLimits))
        let limits = text.document["x-limits"]
        #expect(limits["gateway.bodyBytesMax"]["value"] == 4_321)
        for setting in Settings.all where setting.unit != nil {
            let isOfClients = setting.name.hasPrefix("gateway.") || setting.name.hasPrefix("booking.")
            #expect(limits.has(setting.name) == isOfClients, "\(setting.name)")
        }
    }

    @Test func `a login is asked for where there are logins, by calls about a user`() throws {
        var configuration = ServerConfiguration()
        let without = try ContractText(ContractDocument.json(limits: configuration.contractLimits))
        #expect(!without.document["components"].has("securitySchemes"))
        #expect(without.calls.allSatisfy { !$0.text.has("security") })

        configuration.identity.mode = "jwt"
        let text = try ContractText(ContractDocument.json(limits: configuration.contractLimits))
        let schemes = text.document["components"]["securitySchemes"].members
        #expect(Array(schemes.keys) == ["Login"])
        #expect(schemes["Login"]?["type"] == "http" && schemes["Login"]?["scheme"] == "bearer")
        for call in text.calls {
            let path = try #require(RouteTable.contract.allPaths.first { "\($0.text)" == call.path })
            #expect(call.text["security"].list.map { Array($0.members.keys) } == (path.isAboutUser ? [["Login"]] : []))
        }
    }

    @Test(arguments: InputError.Code.allCases)
    func `the example of an error in the input is that error`(code: InputError.Code) {
        #expect(ContractDocument.example(of: code).code == code)
    }

    private static func found(_ path: String) -> String? {
        Array(path.utf8).withUnsafeBytes { bytes in
            RouteTable.contract.path(ByteView(bytes)).map { "\($0.pointee.text)" }
        }
    }
}
