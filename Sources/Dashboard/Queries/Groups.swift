internal import PostgreSQL

/// Who is in which group.
enum Groups {
    /// More rows are not read.
    private static let most = 500_000

    /// Everybody who is in one, by the groups' names.
    static func all(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> [String: Set<CustomerKey>] {
        let result = try connection.query(
            "SELECT group_name, customer_id FROM customer_groups ORDER BY group_name, customer_id LIMIT \(most)",
            unableTo: "read \"customer_groups\"")
        var groups: [String: Set<CustomerKey>] = [:]
        try result.forEach { row throws(PostgreSQLError) in
            groups[try row["group_name"], default: []].insert(try row["customer_id"])
        }
        return groups
    }

    /// The condition of SQL that a row's customer is in a group.
    ///
    /// - Parameter number: the number of the parameter with the group's name, which is empty for everybody.
    static func condition(_ number: Int) -> String {
        """
        ($\(number)::text = '' OR customer_id IN (SELECT customer_id FROM customer_groups WHERE group_name = $\(number)))
        """
    }
}
