internal import FHIR
internal import HTTPService
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Why a request is refused, for whoever asks: as a problem (RFC 9457) or as FHIR's OperationOutcome.
struct Refusal: Error {
    var problem: Problem
    /// What is wrong where: all of it, when it is known.
    var issues: [OperationOutcome.Issue]

    init(_ status: HTTPResponse.Status, as kind: IssueKind, _ detail: String) {
        problem = Problem(status, detail)
        issues = [OperationOutcome.Issue(kind, detail)]
    }

    init(_ status: HTTPResponse.Status, _ issues: [OperationOutcome.Issue]) {
        problem = Problem(status, issues.first?.details.text ?? "")
        self.issues = issues
    }

    /// Asks to come again after some seconds.
    static func busy(_ status: HTTPResponse.Status, as kind: IssueKind, _ detail: String, seconds: Int) -> Refusal {
        var refusal = Refusal(status, as: kind, detail)
        refusal.problem = .busy(status, detail, seconds: seconds)
        return refusal
    }

    /// Closes the connection afterwards, since the rest of the request is not read.
    static func last(_ status: HTTPResponse.Status, as kind: IssueKind, _ detail: String) -> Refusal {
        var refusal = Refusal(status, as: kind, detail)
        refusal.problem.isLast = true
        return refusal
    }

    /// The answer.
    func response(to request: Request) -> Response {
        guard request.uri.path.hasPrefix("/fhir"), let body = try? fhirJSON(OperationOutcome(issues)) else {
            return problem.response
        }
        return problem.response(fhirMediaType, body)
    }
}
