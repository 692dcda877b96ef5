/// What is wrong with the schema of a database, and what to do.
public enum SchemaError: Error, Equatable, CustomStringConvertible {
    /// A newer program has changed the schema.
    case tooNew(found: Int)
    /// The schema is missing or a part of it.
    case tooOld(found: Int)

    /// What is wrong and what to do.
    public var description: String { "the database has schema version \(found), this program \(program): \(advice)" }

    var found: Int {
        switch self {
        case .tooNew(let found), .tooOld(let found): found
        }
    }

    var advice: String {
        switch self {
        case .tooNew: "install the newer heartbeat"
        case .tooOld: "run \"heartbeat database setup\""
        }
    }

    private var program: String {
        switch self {
        case .tooNew: "knows \(knownSchemaVersion)"
        case .tooOld: "needs \(knownSchemaVersion)"
        }
    }
}
