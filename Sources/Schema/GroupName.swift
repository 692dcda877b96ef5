public import PostgreSQL

/// The name of a group of customers: the database alone knows the rule.
public enum GroupName {
    /// The rule in words.
    public static let rule =
        "expected 1 to 50 characters, none of them a comma or a control character, with no blank at either end"

    /// The place of the first text that is no group's name; nil when all are.
    ///
    /// - Throws: `PostgreSQLError`.
    public static func firstWrong(
        of names: [String], _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Int? {
        // PostgreSQL has no texts with this character.
        let end = names.firstIndex { $0.utf8.contains(0) }
        let places: [Int] = try connection.query(
            """
            SELECT place::integer FROM unnest($1::text[]) WITH ORDINALITY AS n (name, place)
             WHERE NOT is_group_name(name) ORDER BY place LIMIT 1
            """, [ArrayText(Array(names[..<(end ?? names.endIndex)]))], unableTo: "look at names of groups"
        ).column()
        return places.first.map { $0 - 1 } ?? end
    }
}
