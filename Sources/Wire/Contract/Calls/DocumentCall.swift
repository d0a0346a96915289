import Booking

// The contract itself.

extension ContractDocument {
    static func document(_ route: Route) -> DocumentedCall {
        DocumentedCall(
            route,
            id: "contract",
            tag: "contract",
            summary: "This document",
            answer: (
                .reference("schemas/OpenAPI"),
                ["openapi": "3.1.0", "info": ["title": "Usher", "version": .text(self.version)], "paths": [:]]
            )
        )
    }
}
