internal import Daemon
internal import FHIR
import HTTPService
internal import HTTPTypes
internal import HeartRate
import Hummingbird
internal import NIOCore
internal import PostgreSQL

/// Readings and episodes as FHIR R4 has them, to read.
extension API {
    func addFHIR(to router: Router<Viewer>) {
        router.get("fhir/metadata", use: capabilities)
        router.get("fhir/Observation", use: observations)
        router.get("fhir/Observation/$lastn", use: latestObservations)
        router.get("fhir/DetectedIssue", use: detectedIssues)
    }

    @Sendable private func capabilities(_ request: Request, _ viewer: Viewer) throws -> Response {
        try FHIRSearch.requireJSON(QueryParameters(request, "_format"))
        return try Self.fhir(CapabilityStatement.dashboard(heartbeatVersion))
    }

    @Sendable private func observations(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let search = try FHIRSearch(request, ["code", "category", "date", "_count"], repeating: ["date"])
        let customer = try search.requirePatient()
        let range = try search.range("date", SearchDate.Comparison.allCases)
        let (cursor, count) = (try search.page(), search.count)
        guard try search.isHeartRate(), !range.isEmpty else {
            return try Self.fhir(SearchBundle(search.links("Observation", next: nil), []))
        }
        let page = try await ask { connection throws(PostgreSQLError) in
            try ReadingPage(of: customer, in: range, after: cursor, limit: count, connection)
        }
        return try Self.fhir(SearchBundle(search.links("Observation", next: page.next), Self.resources(page.items)))
    }

    @Sendable private func latestObservations(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let search = try FHIRSearch(request, ["code", "category", "max"])
        let customer = try search.requirePatient()
        let most = try search.most()
        guard try search.isHeartRate() else {
            return try Self.fhir(SearchBundle(search.links("$lastn", next: nil), []))
        }
        let items = try await ask { connection throws(PostgreSQLError) in
            try ReadingPage.latest(of: customer, atMost: most, connection)
        }
        return try Self.fhir(SearchBundle(search.links("$lastn", next: nil), Self.resources(items)))
    }

    @Sendable private func detectedIssues(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let search = try FHIRSearch(request, ["identified", "_count"], repeating: ["identified"])
        let range = try search.range("identified", [.ge, .gt, .le, .lt])
        var wanted = EpisodePage.EpisodeRequest(limit: search.count)
        wanted.customer = search.patient?.text
        (wanted.from, wanted.until) = (range.from, range.until)
        wanted.before = try search.page()
        let (asked, clock) = (wanted, poller.alarmClock)
        let page = try await ask { connection throws(PostgreSQLError) in try EpisodePage(asked, at: clock, connection) }
        return try Self.fhir(
            SearchBundle(search.links("DetectedIssue", next: page.next), page.items.map { DetectedIssue($0) }))
    }

    private static func resources(_ items: [ReadingItem]) -> [HeartRateObservation] {
        var writer = MessageWriter()
        return items.map { HeartRateObservation($0, &writer) }
    }

    private static func fhir(_ resource: some Encodable) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: fhirMediaType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: try fhirJSON(resource)))
    }
}

extension CapabilityStatement {
    /// What the dashboard can.
    static func dashboard(_ version: String) -> CapabilityStatement {
        let patient = SearchParameter(
            "patient", "reference",
            documentation: "The customer's id; patient:identifier, subject and subject:identifier are the same.")
        var observation = Resource(
            "Observation", profile: "http://hl7.org/fhir/StructureDefinition/heartrate", interaction: "search-type",
            documentation: """
                Heart rates, oldest first, of one patient, who has to be named. A parameter that is not known is refused.
                """)
        observation.searchParam = [
            patient,
            SearchParameter("code", "token", documentation: "8867-4 of http://loinc.org; other codes find nothing."),
            SearchParameter("category", "token", documentation: "vital-signs; others find nothing."),
            SearchParameter("date", "date", documentation: "With eq, ge, gt, le or lt; several have to hold together."),
        ]
        observation.operation = [
            Operation("lastn", definition: "http://hl7.org/fhir/OperationDefinition/Observation-lastn")
        ]
        var issue = Resource(
            "DetectedIssue", interaction: "search-type",
            documentation:
                "Episodes, the latest first. Their severity is the present one, or of a closed one its worst.")
        issue.searchParam = [
            patient,
            SearchParameter("identified", "date", documentation: "With ge, gt, le or lt: what was open in that time."),
        ]
        return CapabilityStatement(
            "heartbeat dashboard", version: version,
            access: "A token of the dashboard with the scope read as Bearer, or its password by HTTP Basic.",
            resources: [observation, issue])
    }
}
