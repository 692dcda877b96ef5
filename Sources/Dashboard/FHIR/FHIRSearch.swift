internal import FHIR
internal import HTTPService
internal import HTTPTypes
internal import HeartRate
internal import Hummingbird

/// What a search of FHIR asks for: http://hl7.org/fhir/R4/search.html
///
/// A parameter that is not known is refused, since an answer that leaves a condition out is a wrong one.
struct FHIRSearch {
    private static let patients = ["patient", "patient:identifier", "subject", "subject:identifier"]
    /// More are not in one page.
    private static let mostResources = 1000

    private let query: QueryParameters
    private let rawQuery: String
    /// Nil for everybody.
    let patient: CustomerKey?
    let count: Int

    /// - Parameter names: those of this search, beside the patient and `_format`.
    init(_ request: Request, _ names: [String], repeating: Set<String> = []) throws(Problem) {
        rawQuery = request.uri.query ?? ""
        query = try QueryParameters(request, Self.patients + names + ["_format", "_page"], repeating: repeating)
        patient = try Self.patient(query)
        count = min(try query.integer("_count", in: 1...1_000_000, default: 100), Self.mostResources)
        try Self.requireJSON(query)
    }

    /// Refuses other formats. A plus sign that is not escaped is a blank.
    static func requireJSON(_ query: QueryParameters) throws(Problem) {
        guard let format = try query.text("_format", of: 0...50) else { return }
        guard ["json", "application/json", "application/fhir+json", "application/fhir json"].contains(format) else {
            throw Problem(.notAcceptable, "_format: expected json")
        }
    }

    /// The patient that has to be named.
    func requirePatient() throws(Problem) -> CustomerKey {
        guard let patient else { throw Problem(.badRequest, "patient: expected the customer's id") }
        return patient
    }

    /// Whether the heart rate is among the codes and the vital signs among the categories that are asked for.
    func isHeartRate() throws(Problem) -> Bool {
        let (isCode, isCategory) = (try isAsked("code", for: .heartRate), try isAsked("category", for: .vitalSigns))
        return isCode && isCategory
    }

    /// Whether a parameter is not there or has a coding among its alternatives.
    private func isAsked(_ name: String, for coding: Coding) throws(Problem) -> Bool {
        guard let text = try query.text(name, of: 1...1000) else { return true }
        var isFound = false
        for alternative in Self.split(text, at: ",") {
            var parts: [String] = []
            for part in Self.split(alternative, at: "|") { parts.append(try Self.unescaped(part, of: name, query)) }
            isFound = isFound || parts == [coding.code] || parts == [coding.system, coding.code]
        }
        return isFound
    }

    /// From when to when.
    ///
    /// - Parameter comparisons: those that make sense here.
    func range(_ name: String, _ comparisons: [SearchDate.Comparison]) throws(Problem) -> SearchRange {
        var dates: [SearchDate] = []
        for text in query.all(name) {
            guard let date = SearchDate(text), comparisons.contains(date.comparison) else {
                throw query.refusal(
                    name,
                    "a date or time such as ge2026-02-19 or lt2026-02-19T15:53:03Z, with one of "
                        + comparisons.map(\.rawValue).joined(separator: ", "))
            }
            dates.append(date)
        }
        return SearchRange(dates)
    }

    /// How many of the latest.
    func most() throws(Problem) -> Int { try query.integer("max", in: 1...Self.mostResources, default: 1) }

    /// Where the page before ended.
    func page() throws(Problem) -> AnomalyPage.Cursor? {
        guard let text = try query.text("_page", of: 1...50) else { return nil }
        guard let cursor = AnomalyPage.Cursor(text), cursor.id >= 0 else {
            throw query.refusal("_page", "the one of a link to the next page")
        }
        return cursor
    }

    /// The links of a page, relative to its own address: a proxy may have hidden the rest of that from us.
    func links(_ resource: String, next: AnomalyPage.Cursor?) -> [SearchBundle.Link] {
        let kept = rawQuery.split(separator: "&").filter { !$0.hasPrefix("_page=") }
        let own = SearchBundle.Link(relation: "self", url: resource + "?" + rawQuery)
        guard let next else { return [own] }
        let parameters = kept.map(String.init) + ["_page=\(next.text)"]
        return [own, SearchBundle.Link(relation: "next", url: resource + "?" + parameters.joined(separator: "&"))]
    }

    private static func patient(_ query: QueryParameters) throws(Problem) -> CustomerKey? {
        var found: CustomerKey?
        for name in patients {
            guard let text = try query.text(name, of: 1...200) else { continue }
            guard found == nil else { throw query.refusal(name, "the patient only once") }
            let ids = split(text, at: ",")
            guard ids.count == 1 else { throw query.refusal(name, "one patient") }
            // The system of an identifier does not count, as the gateway takes any.
            let parts = split(ids[0], at: "|")
            let hasSystem = name.hasSuffix(":identifier") && parts.count == 2
            let id = try unescaped(hasSystem ? parts[1] : ids[0], of: name, query)
            guard (1...CustomerID.maximumCharacters).contains(id.unicodeScalars.count) else {
                throw query.refusal(name, "the customer's id, 1 to \(CustomerID.maximumCharacters) characters")
            }
            found = CustomerKey(id)
        }
        return found
    }

    /// Divides a text where a sign stands without a backslash before it.
    private static func split(_ text: String, at sign: Unicode.Scalar) -> [String] {
        var parts = [String.UnicodeScalarView()]
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if scalar == sign, !isEscaped {
                parts.append(.init())
            } else {
                parts[parts.count - 1].append(scalar)
            }
            isEscaped = scalar == "\\" && !isEscaped
        }
        return parts.map { String($0) }
    }

    /// Without the backslashes that stand before a sign with a meaning.
    ///
    /// - Throws: `Problem` when one stands before anything else, which has no meaning
    ///   (http://hl7.org/fhir/R4/search.html#escaping).
    private static func unescaped(
        _ text: String, of name: String, _ query: QueryParameters
    ) throws(Problem) -> String {
        var result = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if scalar == "\\", !isEscaped {
                isEscaped = true
                continue
            }
            guard !isEscaped || "\\,|$".unicodeScalars.contains(scalar) else { throw query.refusal(name, backslash) }
            result.append(scalar)
            isEscaped = false
        }
        guard !isEscaped else { throw query.refusal(name, backslash) }
        return String(result)
    }

    private static let backslash = "a \"\\\" only before \",\", \"|\", \"$\" or another one"
}
