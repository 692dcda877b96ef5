public import PostgreSQL
import Schema

/// Which customers are in which groups, to be stored together.
public struct CustomerGroups: Sendable {
    /// Why a line cannot be taken.
    public struct Refusal: Error {
        /// A sentence.
        public let reason: String
    }

    private var customers: [String] = []
    private var names: [String] = []

    /// No groups so far.
    public init() {}

    /// How many memberships there are.
    public var count: Int { customers.count }

    /// Adds a customer to a group; once more changes nothing. What the group's name has to be, `firstWrongName` knows.
    ///
    /// - Throws: `Refusal` unless the customer's id has 1 to 50 characters.
    public mutating func add(_ customer: String, to group: String) throws(Refusal) {
        guard (1...50).contains(customer.unicodeScalars.count), !customer.utf8.contains(0) else {
            throw Refusal(reason: "customer_id: expected 1 to 50 characters")
        }
        customers.append(customer)
        names.append(group)
    }

    /// The number, from 0 on, of the first membership whose group has a name that is none; nil when there is no such one.
    ///
    /// - Throws: `PostgreSQLError`.
    public func firstWrongName(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Int? {
        try GroupName.firstWrong(of: names, connection)
    }

    /// Stores them in one transaction.
    ///
    /// - Parameter replacing: whether whatever else is stored is removed.
    /// - Returns: how many memberships are new, and how many were removed.
    /// - Throws: `PostgreSQLError`.
    public func store(
        _ connection: PostgreSQLConnection, replacing: Bool
    ) throws(PostgreSQLError) -> (added: Int, removed: Int) {
        let wanted = "unnest($1::text[], $2::text[]) AS wanted (customer_id, group_name)"
        let result = try connection.query(
            """
            WITH removed AS (
                DELETE FROM customer_groups AS g
                 WHERE $3::boolean AND NOT EXISTS (
                       SELECT FROM \(wanted)
                        WHERE wanted.customer_id = g.customer_id AND wanted.group_name = g.group_name)
                RETURNING 1),
            added AS (
                INSERT INTO customer_groups SELECT DISTINCT customer_id, group_name FROM \(wanted)
                    ON CONFLICT DO NOTHING RETURNING 1)
            SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM removed) AS removed
            """, [ArrayText(customers), ArrayText(names), replacing ? "true" : "false"],
            unableTo: "store groups of customers")
        let counts = try result.first { row throws(PostgreSQLError) in
            (added: try row["added"] as Int, removed: try row["removed"] as Int)
        }
        return counts ?? (0, 0)
    }
}
