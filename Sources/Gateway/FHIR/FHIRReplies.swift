internal import FHIR

/// What the server says of the observations that it took: http://hl7.org/fhir/R4/bundle.html
struct ResponseBundle: Encodable {
    let resourceType = "Bundle"
    let type: String
    let entry: [ResponseEntry]
}

/// What became of one of them.
struct ResponseEntry: Encodable {
    struct Response: Encodable {
        let status: String
        var location: String?
        var outcome: OperationOutcome?
    }
    let response: Response
}

extension CapabilityStatement {
    /// What the gateway can.
    static func gateway(_ version: String) -> CapabilityStatement {
        CapabilityStatement(
            "heartbeat gateway", version: version,
            access: "A token of the gateway as Bearer authenticates. A repeated observation is stored once.",
            resources: [
                Resource(
                    "Observation", profile: "http://hl7.org/fhir/StructureDefinition/heartrate", interaction: "create",
                    documentation: """
                        Heart rates alone: code 8867-4 of http://loinc.org, valueQuantity in /min of \
                        http://unitsofmeasure.org, effectiveDateTime with an offset, and the customer's id as \
                        subject.identifier.value. None can be changed.
                        """)
            ], interactions: [Code("transaction"), Code("batch")])
    }
}

extension OperationOutcome.Issue {
    /// A reading that is rejected, with its reason code.
    init(_ rejected: ReadingJudge.Rejected, at expression: String) {
        self.init(
            Self.kinds[rejected.code, default: .value], rejected.detail,
            coding: Coding(system: "urn:heartbeat:reason", code: rejected.code), at: expression)
    }

    private static let kinds: [String: IssueKind] = [
        "customer_not_allowed": .forbidden, "missing_field": .required, "id_empty": .required,
        "future_timestamp": .businessRule, "out_of_range": .businessRule, "id_too_long": .tooLong,
        "too_large": .tooLong,
    ]
}
