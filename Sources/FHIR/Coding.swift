/// A code of a system: http://hl7.org/fhir/R4/datatypes.html#Coding
public struct Coding: Codable, Sendable {
    /// The system's address.
    public let system: String?
    /// The code.
    public let code: String?
    /// What the system calls it.
    public let display: String?

    /// A code.
    public init(system: String?, code: String?, display: String? = nil) {
        self.system = system
        self.code = code
        self.display = display
    }

    /// The heart rate's: 8867-4 of LOINC.
    public static let heartRate = Coding(system: "http://loinc.org", code: "8867-4", display: "Heart rate")

    /// Whether it is the same code of the same system, whatever it is called.
    public func isSame(as other: Coding) -> Bool { system == other.system && code == other.code }
}
