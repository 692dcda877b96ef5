/// FHIR's kinds of issues, as far as they are needed here: http://hl7.org/fhir/R4/valueset-issue-type.html
public enum IssueKind: String, Sendable {
    case structure, required, value, login, forbidden, throttled, transient, exception
    case notFound = "not-found"
    case notSupported = "not-supported"
    case tooLong = "too-long"
    case businessRule = "business-rule"
}
