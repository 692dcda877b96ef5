/// A code of a system: http://hl7.org/fhir/R4/datatypes.html#Coding
struct Coding: Codable, Sendable {
    let system: String?
    let code: String?
}
