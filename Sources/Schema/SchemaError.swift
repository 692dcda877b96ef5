/// What is wrong with the database as a whole, and what to do.
public enum DatabaseError: Error, Equatable, CustomStringConvertible {
    /// A newer program has changed the schema.
    case schemaTooNew(found: Int, known: Int)
    /// The schema is missing or a part of it.
    case schemaTooOld(found: Int, known: Int)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .schemaTooNew(let found, let known):
            "the database has schema version \(found), this program knows \(known): install the newer heartbeat"
        case .schemaTooOld(let found, let known):
            "the database has schema version \(found), this program needs \(known): "
                + "run \"heartbeat database setup\""
        }
    }
}
