internal import FHIR
internal import FoundationEssentials
internal import HTTPTypes

/// A heart rate as FHIR R4 has it, as far as it is needed here: http://hl7.org/fhir/R4/heartrate.html
struct Observation: Decodable {
    private struct Concept: Decodable { let coding: [Coding]? }
    private struct Reference: Decodable { let identifier: Identifier? }
    private struct Identifier: Decodable { let value: String? }
    private struct Quantity: Decodable {
        let value: Double?
        let system, code: String?
    }

    private let resourceType: String
    private let status: String?
    private let code: Concept?
    private let subject: Reference?
    private let effectiveDateTime, effectiveInstant: String?
    private let valueQuantity: Quantity?

    /// The contract's message of it, which `ReadingDecoder` judges.
    private struct ContractMessage: Encodable {
        let customerID: String?
        let timestamp: String?
        let heartRate: Double?
        let unit: String?

        enum CodingKeys: String, CodingKey {
            case customerID = "customer_id"
            case timestamp, unit
            case heartRate = "heart_rate"
        }
    }

    /// - Parameter place: where it is in the request, as FHIRPath.
    /// - Throws: `Refusal` when it is another kind of observation than a heart rate.
    func message(at place: String) throws -> [UInt8] {
        func refuse(_ kind: IssueKind, at field: String, _ detail: String) -> Refusal {
            Refusal(.unprocessableContent, [OperationOutcome.Issue(kind, detail, at: "\(place).\(field)")])
        }
        guard resourceType == "Observation" else {
            throw refuse(.notSupported, at: "resourceType", "expected an Observation")
        }
        guard let status else { throw refuse(.required, at: "status", "expected a status") }
        guard ["final", "preliminary"].contains(status) else {
            throw refuse(
                .notSupported, at: "status",
                "expected final or preliminary: what is stored cannot be corrected or taken back")
        }
        guard code?.coding?.contains(where: { $0.isSame(as: .heartRate) }) == true else {
            throw refuse(.notSupported, at: "code", "expected the heart rate: 8867-4 of http://loinc.org")
        }
        guard let customer = subject?.identifier?.value else {
            throw refuse(.required, at: "subject", "expected subject.identifier.value, the customer's id")
        }
        guard let quantity = valueQuantity, let value = quantity.value else {
            throw refuse(.required, at: "value", "expected a valueQuantity with a value")
        }
        guard quantity.system == "http://unitsofmeasure.org", quantity.code == "/min" else {
            throw refuse(.value, at: "value", "expected the code /min of http://unitsofmeasure.org")
        }
        guard let time = effectiveInstant ?? effectiveDateTime else {
            throw refuse(.required, at: "effective", "expected effectiveDateTime, with time and offset")
        }
        let message = ContractMessage(customerID: customer, timestamp: time, heartRate: value, unit: "/min")
        return Array(try JSONEncoder().encode(message))
    }
}

/// Several resources at once: http://hl7.org/fhir/R4/bundle.html
struct RequestBundle: Decodable {
    let resourceType: String
    let type: String?
    let entry: [RequestEntry]?
}

/// One of them, and what to do with it.
struct RequestEntry: Decodable {
    struct Request: Decodable { let method, url: String? }
    let request: Request?
    let resource: Observation?
}
