internal import CLibRdKafka
internal import Synchronization

/// The properties of a client, by librdkafka's names (its CONFIGURATION.md lists them).
public struct KafkaConfiguration: Sendable {
    /// One property.
    public struct Property: Sendable {
        /// librdkafka's name, as `fetch.wait.max.ms`.
        public let name: String
        /// Its value as text, which may be a secret.
        public let value: String
    }

    /// The properties in the order in which they are set; a later one wins.
    public private(set) var properties: [Property] = []

    /// No property: librdkafka's defaults.
    public init() {}

    /// Sets one property; refused here when librdkafka does not know it or its value.
    public mutating func set(_ name: String, _ value: String) throws(KafkaError) {
        let trial = unsafe rd_kafka_conf_new()
        defer { unsafe rd_kafka_conf_destroy(trial) }
        try unsafe Self.set(name, value, on: trial)
        properties.append(Property(name: name, value: value))
    }

    /// This librdkafka's version: `2.0.2`.
    public static var libraryVersion: String { unsafe String(cString: rd_kafka_version_str()) }

    /// Whether this librdkafka has a property.
    public static func knows(_ name: String) -> Bool {
        let configuration = unsafe rd_kafka_conf_new()
        defer { unsafe rd_kafka_conf_destroy(configuration) }
        var size = 0
        return unsafe rd_kafka_conf_get(configuration, name, nil, &size) != RD_KAFKA_CONF_UNKNOWN
    }

    /// A new `rd_kafka_conf_t` that belongs to the caller.
    @unsafe func makeHandle() throws(KafkaError) -> OpaquePointer? {
        let handle = unsafe rd_kafka_conf_new()
        do throws(KafkaError) {
            for property in properties {
                try unsafe Self.set(property.name, property.value, on: handle)
            }
        } catch {
            unsafe rd_kafka_conf_destroy(handle)
            throw error
        }
        return unsafe handle
    }

    @unsafe private static func set(_ name: String, _ value: String, on handle: OpaquePointer?) throws(KafkaError) {
        let (result, cause) = unsafe withReasonBuffer { buffer, size in
            unsafe rd_kafka_conf_set(handle, name, value, buffer, size)
        }
        guard result == RD_KAFKA_CONF_OK else {
            throw KafkaError(
                RD_KAFKA_RESP_ERR__INVALID_ARG, unableTo: "set \(name)", cause: cause, isRetriable: false)
        }
    }
}

/// Lends a buffer for librdkafka's `errstr` and returns the call's result with the text.
func withReasonBuffer<Result>(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Result) -> (Result, String) {
    var buffer = [CChar](repeating: 0, count: 512)
    let result = unsafe buffer.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress, $0.count) }
    let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return (result, String(decoding: text, as: UTF8.self))
}

/// What a client says of itself outside of any call; called on librdkafka's own threads.
public struct KafkaEvents: Sendable {
    /// A line of librdkafka's log, with the level as in syslog (0 emergency to 7 debug).
    public var log: @Sendable (_ level: Int, _ text: String) -> Void
    /// Trouble that no call returns, as all brokers being away. librdkafka goes on by itself unless it is fatal.
    public var error: @Sendable (KafkaError) -> Void

    /// Both handlers.
    public init(
        log: @escaping @Sendable (_ level: Int, _ text: String) -> Void,
        error: @escaping @Sendable (KafkaError) -> Void
    ) {
        self.log = log
        self.error = error
    }

    /// Drops everything.
    public static let ignored = KafkaEvents(log: { _, _ in }, error: { _ in })
}

/// What the C callbacks find behind a client's `opaque`.
class ClientContext {
    let events: KafkaEvents
    /// What is wrong with a broker's certificate, until the error of its connection is handed out.
    private let certificates = Mutex<String?>(nil)

    init(events: KafkaEvents) { self.events = events }

    /// Wires `opaque` and the callbacks that every client has; the context has to outlive the client.
    func attach(to configuration: OpaquePointer?) {
        unsafe rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(self).toOpaque())
        unsafe rd_kafka_conf_set_log_cb(configuration) { client, level, _, text in
            guard let text = unsafe text, let context = unsafe ClientContext.of(client) else { return }
            context.events.log(Int(level), unsafe String(cString: text))
        }
        unsafe watchCertificates(configuration)
        unsafe rd_kafka_conf_set_error_cb(configuration) { client, code, reason, _ in
            guard let context = unsafe ClientContext.of(client) else { return }
            let code = rd_kafka_resp_err_t(rawValue: code)
            var cause = unsafe reason.map { unsafe String(cString: $0) }
            if code == RD_KAFKA_RESP_ERR__FATAL {
                // The generic code only says that there is a fatal error; this is the error itself.
                let (original, text) = unsafe withReasonBuffer { unsafe rd_kafka_fatal_error(client, $0, $1) }
                // Whoever asks for it looks at the messages that come back, and at `fatalError`.
                if original == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE { return }
                cause = "\(text) (code \(original.rawValue))"
            }
            // The code is now RD_KAFKA_RESP_ERR__SSL, now another one, depending on when the handshake fails.
            if cause?.contains("certificate verify failed") == true {
                cause = context.certificates.withLock { $0 } ?? cause
            }
            context.events.error(KafkaError(code, unableTo: "work with Kafka", cause: cause))
        }
    }

    /// Has certificates judged as without this, and keeps why one is refused: librdkafka's error does not say that.
    @unsafe private func watchCertificates(_ configuration: OpaquePointer?) {
        unsafe rd_kafka_conf_set_ssl_cert_verify_cb(configuration) { _, name, _, code, _, _, _, _, _, opaque in
            guard let code = unsafe code?.pointee, let opaque = unsafe opaque else { return 0 }
            let context = unsafe Unmanaged<ClientContext>.fromOpaque(opaque).takeUnretainedValue()
            let name = unsafe name.map { unsafe String(cString: $0) } ?? "the broker"
            context.certificates.withLock {
                $0 = code == 0 ? nil : "the certificate of \(name) is refused: \(certificateProblem(code))"
            }
            return code == 0 ? 1 : 0
        }
    }

    /// The context of a client: librdkafka hands the configuration's `opaque` back.
    static func of(_ client: OpaquePointer?) -> ClientContext? {
        guard let client = unsafe client, let opaque = unsafe rd_kafka_opaque(client) else { return nil }
        return unsafe Unmanaged<ClientContext>.fromOpaque(opaque).takeUnretainedValue()
    }
}

/// An error of OpenSSL's `x509_vfy.h`, in OpenSSL's words.
private func certificateProblem(_ code: Int32) -> String {
    switch code {
    case 9: "certificate is not yet valid"
    case 10: "certificate has expired"
    case 18: "self-signed certificate"
    case 19: "self-signed certificate in certificate chain"
    case 2, 20: "unable to get local issuer certificate; ssl.ca.location names the authorities that are trusted"
    case 21: "unable to verify the first certificate"
    case 23: "certificate revoked"
    case 62: "hostname mismatch"
    case 64: "IP address mismatch"
    default: "error \(code) of x509_vfy.h"
    }
}
