internal import Bytes
internal import Digest
internal import FoundationEssentials
public import NIOCore

/// The type of FHIR's JSON.
public let fhirMediaType = "application/fhir+json"

/// A resource as JSON, with FHIR's own names.
public func fhirJSON(_ resource: some Encodable) throws -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    return ByteBuffer(bytes: try encoder.encode(resource))
}

/// The id of a reading as a resource: the same whoever gives it out, and for a repeat.
///
/// - Parameter message: the contract's message of it, as `MessageWriter` writes it.
public func observationID(_ message: [UInt8]) -> String { String(hexadecimal: sha256(message).prefix(16)) }
