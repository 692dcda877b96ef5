/// FHIR R4's resource for what went wrong: http://hl7.org/fhir/R4/operationoutcome.html
public struct OperationOutcome: Encodable, Sendable {
    /// What is wrong, in words and as a code.
    public struct Details: Encodable, Sendable {
        private let coding: [Coding]?
        /// In words.
        public let text: String

        fileprivate init(_ coding: Coding?, _ text: String) {
            self.coding = coding.map { [$0] }
            self.text = text
        }
    }

    /// One thing that went wrong.
    public struct Issue: Encodable, Sendable {
        private let severity = "error"
        private let code: String
        /// What is wrong.
        public let details: Details
        /// Which part of the request, as FHIRPath.
        private let expression: [String]?

        /// - Parameters:
        ///   - coding: a code of its own for the reason.
        ///   - expression: which part of the request, as FHIRPath.
        public init(_ kind: IssueKind, _ text: String, coding: Coding? = nil, at expression: String? = nil) {
            code = kind.rawValue
            details = Details(coding, text)
            self.expression = expression.map { [$0] }
        }
    }

    private let resourceType = "OperationOutcome"
    private let issue: [Issue]

    /// What went wrong, at least one thing.
    public init(_ issues: [Issue]) { issue = issues }
}
