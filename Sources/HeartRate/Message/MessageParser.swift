import CSimdJSON

/// simdjson's parser and the fields of the message that it parsed last. Owns the C object.
@safe
struct MessageParser: ~Copyable {
    private let parser: OpaquePointer
    /// Inside the C object: a struct of that size here would be copied whenever `self` is passed on.
    private let message: UnsafePointer<CSimdJSONMessage>

    init() {
        // Only a lack of memory makes it null, and no Swift program survives that anywhere else either.
        unsafe parser = csimdjson_create()!
        unsafe message = csimdjson_message(parser)!
    }

    deinit {
        unsafe csimdjson_destroy(parser)
    }

    /// Parses and checks all of `payload`; nil when it is valid JSON. Afterwards nothing refers to `payload`.
    mutating func parse(_ payload: RawSpan) -> MalformedJSON? {
        let outcome = unsafe payload.withUnsafeBytes {
            unsafe csimdjson_parse(parser, $0.baseAddress, $0.count)
        }
        switch outcome {
        case CSimdJSONValid: return nil
        case CSimdJSONDepth: return .depth
        case CSimdJSONBadString: return .string
        case CSimdJSONBadLiteral: return .literal
        case CSimdJSONBadNumber: return .number
        case CSimdJSONNotUTF8: return .notUTF8
        case CSimdJSONEmpty: return .empty
        // The message is not at fault and must not be rejected for it; it is still in Kafka after a restart.
        case CSimdJSONOutOfMemory: fatalError("out of memory")
        default: return .structure
        }
    }

    /// Whether the document is an object; only then the fields may be asked for.
    var foundObject: Bool { unsafe message.pointee.root == CSimdJSONObject }

    var customerID: JSONValue {
        @_lifetime(borrow self)
        get { unsafe JSONValue(message.pointee.customer_id) }
    }

    var timestamp: JSONValue {
        @_lifetime(borrow self)
        get { unsafe JSONValue(message.pointee.timestamp) }
    }

    var heartRate: JSONValue {
        @_lifetime(borrow self)
        get { unsafe JSONValue(message.pointee.heart_rate) }
    }

    var unit: JSONValue {
        @_lifetime(borrow self)
        get { unsafe JSONValue(message.pointee.unit) }
    }

    var schemaVersion: JSONValue {
        @_lifetime(borrow self)
        get { unsafe JSONValue(message.pointee.schema_version) }
    }

    var activity: JSONValue {
        @_lifetime(borrow self)
        get { unsafe JSONValue(message.pointee.activity) }
    }
}

/// What is wrong with a text that should be JSON, as far as simdjson tells.
enum MalformedJSON: String {
    case empty = "it is empty"
    case notUTF8 = "it is not UTF-8"
    case depth = "it is nested too deep"
    case string = "a string is not closed, or holds a bad escape or a bare control character"
    case literal = "a literal is neither true, false nor null"
    case number = "a number is malformed"
    case structure = "a comma, colon, quotation mark, bracket or brace is missing, misplaced or too many"
}

/// One value of a message; a string's bytes are only lent.
enum JSONValue: ~Escapable {
    case absent
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(Span<UInt8>)
    case array
    case object
}

extension JSONValue {
    /// The bytes of a string belong to the parser until it parses again: the caller ties the value's lifetime to it.
    @inline(__always)
    @_lifetime(immortal)
    fileprivate init(_ value: CSimdJSONValue) {
        switch unsafe value.kind {
        case CSimdJSONNull: self = .null
        case CSimdJSONBool: self = unsafe .bool(value.number != 0)
        case CSimdJSONInteger: self = unsafe .integer(value.integer)
        case CSimdJSONDouble: self = unsafe .double(value.number)
        case CSimdJSONString:
            let bytes = unsafe UnsafeRawBufferPointer(start: value.text, count: value.length)
            self = unsafe _overrideLifetime(.string(Span(_unsafeBytes: bytes)), copying: ())
        case CSimdJSONArray: self = .array
        case CSimdJSONObject: self = .object
        default: self = .absent
        }
    }

    /// How a sentence names the value: `72.5`, `"abc"`, `an array`.
    var description: String {
        switch self {
        case .absent: "missing"
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let bytes): String(quoting: bytes)
        case .array: "an array"
        case .object: "an object"
        }
    }
}
