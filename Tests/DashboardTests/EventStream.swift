import Foundation
import Harness

/// A viewer: the events of a stream.
final class EventStream {
    private let connection: HTTPConnection
    private var text = ""
    let head: HTTPConnection.Answer

    init(port: Int, _ headers: [String] = []) throws {
        connection = try HTTPConnection(port: port)
        connection.request("/api/v1/events", headers)
        head = try connection.head()
    }

    /// What stands before the next empty line.
    func block() throws -> String {
        while true {
            if let range = text.range(of: "\n\n") {
                let block = String(text[..<range.lowerBound])
                text.removeSubrange(..<range.upperBound)
                return block
            }
            guard let chunk = try connection.chunk() else { throw HarnessError("the stream ended") }
            text += String(decoding: chunk, as: UTF8.self)
        }
    }

    /// The data of the next event.
    func state() throws -> [String: Any] {
        while true {
            let lines = try block().split(separator: "\n")
            guard lines.first == "event: state", let data = lines.first(where: { $0.hasPrefix("data: ") }) else {
                continue
            }
            let object = try JSONSerialization.jsonObject(with: Data(data.dropFirst(6).utf8))
            guard let state = object as? [String: Any] else { throw HarnessError("no state: \(data)") }
            return state
        }
    }
}
