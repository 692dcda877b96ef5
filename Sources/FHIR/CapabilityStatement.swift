/// What a server can: http://hl7.org/fhir/R4/capabilitystatement.html
public struct CapabilityStatement: Encodable, Sendable {
    /// A code alone.
    public struct Code: Encodable, Sendable {
        private let code: String

        /// This code.
        public init(_ code: String) { self.code = code }
    }

    /// A parameter of a search.
    public struct SearchParameter: Encodable, Sendable {
        private let name, type, documentation: String

        /// A parameter of one of FHIR's types.
        public init(_ name: String, _ type: String, documentation: String) {
            self.name = name
            self.type = type
            self.documentation = documentation
        }
    }

    /// An operation, by the address of its definition.
    public struct Operation: Encodable, Sendable {
        private let name, definition: String

        /// An operation of this name.
        public init(_ name: String, definition: String) {
            self.name = name
            self.definition = definition
        }
    }

    /// A kind of resources, and what can be done with them.
    public struct Resource: Encodable, Sendable {
        private let type: String
        private let profile: String?
        private let documentation: String
        private let interaction: [Code]
        /// For a search.
        public var searchParam: [SearchParameter]?
        /// Beside interactions.
        public var operation: [Operation]?

        /// Resources of a type.
        public init(_ type: String, profile: String? = nil, interaction: String, documentation: String) {
            self.type = type
            self.profile = profile
            self.interaction = [Code(interaction)]
            self.documentation = documentation
        }
    }

    private struct Software: Encodable { let name, version: String }
    private struct Implementation: Encodable { let description: String }
    private struct Rest: Encodable {
        let mode = "server"
        let documentation: String
        let resource: [Resource]
        let interaction: [Code]?
    }

    private let resourceType = "CapabilityStatement"
    private let status = "active"
    private let date = "2026-11-26"
    private let kind = "instance"
    private let software: Software
    private let implementation: Implementation
    private let fhirVersion = "4.0.1"
    private let format = ["json"]
    private let rest: [Rest]

    /// What a program can.
    ///
    /// - Parameters:
    ///   - program: what it is.
    ///   - access: how a client proves who it is.
    ///   - interactions: with the server as a whole.
    public init(
        _ program: String, version: String, access: String, resources: [Resource], interactions: [Code]? = nil
    ) {
        software = Software(name: "heartbeat", version: version)
        implementation = Implementation(description: program)
        rest = [Rest(documentation: access, resource: resources, interaction: interactions)]
    }
}
