internal import Bytes
internal import FHIR
internal import HeartRate

extension Coding {
    static let vitalSigns = Coding(
        system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs",
        display: "Vital Signs")
}

/// What something is, as codes or in words.
struct Concept: Encodable {
    private var coding: [Coding]?
    private var text: String?

    init(_ coding: Coding? = nil, _ text: String? = nil) {
        self.coding = coding.map { [$0] }
        self.text = text
    }
}

/// A customer, who is no resource here.
struct Subject: Encodable {
    private struct Identifier: Encodable { let value: String }
    private let identifier: Identifier

    init(_ customer: CustomerKey) { identifier = Identifier(value: customer.text) }
}

/// A reading as FHIR R4 has it: http://hl7.org/fhir/R4/heartrate.html
struct HeartRateObservation: Encodable {
    private struct Meta: Encodable { let profile = ["http://hl7.org/fhir/StructureDefinition/heartrate"] }
    private struct Quantity: Encodable {
        let value: Int64
        let unit = "beats/minute"
        let system = "http://unitsofmeasure.org"
        let code = "/min"
    }

    private let resourceType = "Observation"
    private let id: String
    private let meta = Meta()
    private let status = "final"
    private let category = [Concept(.vitalSigns)]
    private let code = Concept(.heartRate)
    private let subject: Subject
    private let effectiveDateTime: String
    private let valueQuantity: Quantity
    private let interpretation: [Concept]?

    /// - Parameter writer: writes the contract's message of the reading, by which the gateway, too, knows it.
    init(_ item: ReadingItem, _ writer: inout MessageWriter) {
        id = Self.id(item, &writer)
        subject = Subject(item.customerId)
        effectiveDateTime = item.recordedAt.text
        valueQuantity = Quantity(value: item.heartRate)
        interpretation = item.isAnomaly ? [Self.interpretation(item.anomalyReason ?? "")] : nil
    }

    private static func id(_ item: ReadingItem, _ writer: inout MessageWriter) -> String {
        let time = Instant(microsecondsSince1970: item.recordedAt.microseconds)
        guard let customer = try? CustomerID(item.customerId.text),
            let reading = Reading(
                customerID: customer, recordedAt: time, heartRate: Int16(clamping: item.heartRate))
        else {
            // Somebody has inserted what no message can be.
            return observationID(Array("\(item.customerId.text) \(time) \(item.heartRate)".utf8))
        }
        let message = writer.write(reading)
        return observationID(message.byteOffsets.map { message[$0] })
    }

    private static func interpretation(_ reason: String) -> Concept {
        let isLow = reason.hasPrefix("bradycardia")
        return Concept(
            Coding(
                system: "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", code: isLow ? "L" : "H",
                display: isLow ? "Low" : "High"), reason)
    }
}

/// An episode: http://hl7.org/fhir/R4/detectedissue.html
///
/// It is no Flag: a Flag is a standing warning about a patient, without a severity and without who has seen to it.
struct DetectedIssue: Encodable {
    private struct Period: Encodable {
        let start: String
        let end: String?
    }
    private struct Person: Encodable { let display: String }
    private struct Mitigation: Encodable {
        let action: Concept
        let date: String
        let author: Person
    }

    private let resourceType = "DetectedIssue"
    private let id: String
    private let status: String
    private let code: Concept
    private let severity: String
    private let patient: Subject
    private let identifiedPeriod: Period
    private let detail: String
    private let mitigation: [Mitigation]?

    init(_ episode: EpisodeItem) {
        id = "\(episode.episodeId)"
        // It may get worse as long as it is open.
        status = episode.closedAt == nil ? "preliminary" : "final"
        let kind = String(episode.kind.map { $0 == " " ? "-" : $0 })
        code = Concept(Coding(system: "urn:heartbeat:episode-kind", code: kind), episode.kind)
        let severity = episode.closedAt == nil ? episode.severity : episode.worstSeverity
        self.severity = severity == "medium" ? "moderate" : severity
        patient = Subject(episode.customerId)
        identifiedPeriod = Period(start: episode.openedAt.text, end: episode.closedAt?.text)
        detail = episode.reason
        if let at = episode.acknowledgedAt, let by = episode.acknowledgedBy {
            let note = episode.acknowledgedNote.map { "acknowledged: \($0)" }
            mitigation = [
                Mitigation(action: Concept(nil, note ?? "acknowledged"), date: at.text, author: Person(display: by))
            ]
        } else {
            mitigation = nil
        }
    }
}
