internal import PostgreSQL

/// The conditions of a WHERE clause, which depend on what was asked for, with their values.
struct WhereClause {
    private var conditions: [String] = []
    private(set) var parameters: [any PostgreSQLParameter] = []

    /// Adds one that has to hold too; each "?" in it is one of the values.
    mutating func add(_ condition: String, _ values: any PostgreSQLParameter...) {
        let parts = condition.split(separator: "?", omittingEmptySubsequences: false)
        var text = String(parts[0])
        for (part, value) in zip(parts.dropFirst(), values) {
            parameters.append(value)
            text += "$\(parameters.count)" + part
        }
        conditions.append(text)
    }

    /// `WHERE ...`; nothing when there is none.
    var text: String { conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ") }
}
