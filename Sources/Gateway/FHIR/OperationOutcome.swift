internal import FoundationEssentials
internal import NIOCore

/// FHIR R4's resource for what went wrong: http://hl7.org/fhir/R4/operationoutcome.html
struct OperationOutcome: Encodable, Sendable {
    struct Details: Encodable, Sendable {
        var coding: [Coding]?
        let text: String
    }

    struct Issue: Encodable, Sendable {
        let severity: String
        let code: String
        let details: Details
        /// Which part of the request, as FHIRPath.
        var expression: [String]?

        init(_ kind: IssueKind, _ text: String, at expression: String? = nil) {
            severity = "error"
            code = kind.rawValue
            details = Details(text: text)
            self.expression = expression.map { [$0] }
        }

        /// A reading that is rejected, with its reason code.
        init(_ rejected: ReadingJudge.Rejected, at expression: String) {
            severity = "error"
            code = Self.kinds[rejected.code, default: .value].rawValue
            details = Details(
                coding: [Coding(system: "urn:heartbeat:reason", code: rejected.code)], text: rejected.detail)
            self.expression = [expression]
        }

        private static let kinds: [String: IssueKind] = [
            "customer_not_allowed": .forbidden, "missing_field": .required, "id_empty": .required,
            "future_timestamp": .businessRule, "out_of_range": .businessRule, "id_too_long": .tooLong,
            "too_large": .tooLong,
        ]
    }

    let resourceType = "OperationOutcome"
    let issue: [Issue]
}

/// The type of FHIR's JSON.
let fhirMediaType = "application/fhir+json"

/// A resource as JSON, with FHIR's own names.
func fhirJSON(_ resource: some Encodable) throws -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    return ByteBuffer(bytes: try encoder.encode(resource))
}
