import Foundation

/// A connection to a server of this machine that sends exactly the bytes that a test wants, also those that no browser would.
package final class HTTPConnection {
    /// What came back.
    package struct Answer {
        package let status: Int
        /// By name in lower case.
        package let headers: [String: String]
        package var body: [UInt8] = []

        package var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as JSON.
        package func json() throws -> [String: Any] {
            guard let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
                throw HarnessError("no object: \(text.prefix(200))")
            }
            return object
        }

        /// The detail of a problem.
        package var detail: String { (try? json()["detail"] as? String) ?? "" }
    }

    private let descriptor: Int32
    private var buffer: [UInt8] = []

    /// - Parameters:
    ///   - receiveBytes: the size of the buffer for what comes, for a client that does not read.
    ///   - sendSeconds: how long to wait when the server takes no more; without it there is no bound.
    package init(port: Int, receiveBytes: Int32? = nil, sendSeconds: Int? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        if let sendSeconds {
            var limit = timeval(tv_sec: sendSeconds, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw HarnessError("unable to connect: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// Sends bytes as they are; what a closed connection does not take is no error.
    ///
    /// - Returns: whether all of them were taken.
    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    private func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Sends a request without a body.
    package func request(_ target: String, method: String = "GET", host: String = "localhost", _ headers: [String] = [])
    {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: \(host)"] + headers
        send(lines.map { $0 + "\r\n" }.joined() + "\r\n")
    }

    /// Sends a request with a body.
    package func post(_ target: String, _ headers: [String], body: [UInt8]) {
        request(target, method: "POST", headers + ["Content-Length: \(body.count)"])
        send(body)
    }

    /// Whether there is no answer and will be none.
    package func isClosed() -> Bool { buffer.isEmpty && !fill() }

    /// The next answer.
    ///
    /// - Parameter isHead: whether it has no body, whatever its headers say.
    package func answer(isHead: Bool = false) throws -> Answer {
        var answer = try head()
        guard !isHead, answer.status != 304 else { return answer }
        if answer.headers["transfer-encoding"] == "chunked" {
            while let chunk = try chunk() { answer.body += chunk }
        } else if let length = answer.headers["content-length"].flatMap({ Int($0) }) {
            answer.body = try take(length)
        }
        return answer
    }

    /// The beginning of the next answer, up to its body.
    package func head() throws -> Answer {
        let lines = try line(endingIn: "\r\n\r\n").components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw HarnessError("no answer: \(lines[0])") }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        return Answer(status: status, headers: headers)
    }

    /// The next chunk of a body; nil at its end.
    package func chunk() throws -> [UInt8]? {
        guard let size = Int(try line(endingIn: "\r\n"), radix: 16) else { throw HarnessError("no chunk") }
        let chunk = try take(size)
        _ = try take(2)
        return size == 0 ? nil : chunk
    }

    private func line(endingIn end: String) throws -> String {
        let end = Array(end.utf8)
        while true {
            if let range = Data(buffer).range(of: Data(end)) {
                return String(decoding: try take(range.upperBound).dropLast(end.count), as: UTF8.self)
            }
            guard fill() else { throw HarnessError("the connection ended: \(String(decoding: buffer, as: UTF8.self))") }
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count {
            guard fill() else { throw HarnessError("the connection ended in the middle of an answer") }
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    private func fill() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        buffer += bytes.prefix(count)
        return true
    }
}
