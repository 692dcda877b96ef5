import HTTPService
import Hummingbird
internal import FoundationEssentials
internal import HTTPTypes
internal import HeartRate
internal import NIOCore

/// The body of a request that changes something: a JSON object with known fields.
struct ChangeBody {
    private enum Field: Decodable {
        case text(String), number(Int), texts([String]), nothing

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .nothing
            } else if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else if let texts = try? container.decode([String].self) {
                self = .texts(texts)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    private let fields: [String: Field]

    /// - Throws: `Problem` when it is no object, or has a field that is not known.
    init(_ body: ByteBuffer, _ known: Set<String>) throws(Problem) {
        guard let fields = try? JSONDecoder().decode([String: Field].self, from: Data(body.readableBytesView)),
            known.isSuperset(of: fields.keys)
        else {
            throw Problem(
                .badRequest,
                "expected a JSON object with no other fields than \(known.sorted().joined(separator: ", "))")
        }
        self.fields = fields
    }

    /// A text; nil when it is not there.
    func text(_ name: String, of length: ClosedRange<Int>) throws(Problem) -> String? {
        switch fields[name] {
        case nil: return nil
        case .text(let text):
            guard Self.isPlain(text, of: length) else { throw Self.refusal(name, length) }
            return text
        default: throw Self.refusal(name, length)
        }
    }

    /// A text that has to be there.
    func neededText(_ name: String, of length: ClosedRange<Int>) throws(Problem) -> String {
        guard let text = try text(name, of: length) else { throw Self.refusal(name, length) }
        return text
    }

    /// Whose it is about: any id that a message can have.
    func customer() throws(Problem) -> CustomerKey {
        guard case .text(let text) = fields["customer_id"], !text.utf8.contains(0),
            (1...CustomerID.maximumCharacters).contains(text.unicodeScalars.count)
        else {
            throw Problem(.badRequest, "customer_id: expected 1 to \(CustomerID.maximumCharacters) characters")
        }
        return CustomerKey(text)
    }

    /// One of several words; nil when it is not there.
    func choice(_ name: String, _ words: [String]) throws(Problem) -> String? {
        switch fields[name] {
        case nil: return nil
        case .text(let text) where words.contains(text): return text
        default: throw Problem(.badRequest, "\(name): expected one of \(words.joined(separator: ", "))")
        }
    }

    /// An integer; nil when it is null or not there.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        switch fields[name] {
        case nil, .nothing: return nil
        case .number(let number) where range.contains(number): return number
        default:
            throw Problem(.badRequest, "\(name): expected an integer from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    /// Several texts, which have to be there.
    func texts(_ name: String, most: Int) throws(Problem) -> [String] {
        guard case .texts(let texts) = fields[name], texts.count <= most else {
            throw Problem(.badRequest, "\(name): expected an array of at most \(most) texts")
        }
        return texts
    }

    /// Whether a text has no control characters, and no blank at either end.
    static func isPlain(_ text: String, of length: ClosedRange<Int>) -> Bool {
        let scalars = text.unicodeScalars
        return length.contains(scalars.count) && !scalars.contains { $0.properties.generalCategory == .control }
            && ![scalars.first, scalars.last].contains { [0x20, 0xa0].contains($0?.value) }
    }

    private static func refusal(_ name: String, _ length: ClosedRange<Int>) -> Problem {
        Problem(
            .badRequest,
            """
            \(name): expected \(length.lowerBound) to \(length.upperBound) characters, none of them a control \
            character, with no blank at either end
            """)
    }
}
