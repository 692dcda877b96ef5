import PostgreSQL
import Schema

/// The rights that the migrations grant to the daemons' roles.
enum GrantedRights {
    /// One right: of a role, to a table, or to some columns of it.
    struct Right: Equatable {
        let role: String
        let table: String
        /// As `SELECT`.
        let privilege: String
        /// Empty for the whole table.
        let columns: [String]

        /// What gives it.
        var statement: String {
            let list = columns.isEmpty ? "" : " (\(columns.joined(separator: ", ")))"
            return "GRANT \(privilege)\(list) ON \(table) TO \"\(role)\""
        }
    }

    /// The rights to tables in a text of SQL.
    static func rights(in sql: String) -> [Right] {
        let statements = sql.matches(of: /(?m)^GRANT ([A-Z][^;]*?)\s+ON\s+([a-z_][^;]*?)\s+TO\s+([^;]*);/)
        return statements.flatMap { statement -> [Right] in
            let (_, privileges, tables, roles) = statement.output
            return split(roles).flatMap { role in
                split(tables).flatMap { table in
                    privileges.matches(of: /([A-Z]+)(?:\s*\(([^)]*)\))?/).map { privilege in
                        Right(
                            role: role.filter { $0 != "\"" }, table: table, privilege: String(privilege.output.1),
                            columns: privilege.output.2.map(split) ?? [])
                    }
                }
            }
        }
    }

    private static func split(_ list: Substring) -> [String] {
        list.split(separator: ",").map { part in
            part.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
    }

    /// The statements that would give what a database's roles lack.
    static func missing(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> [String] {
        var missing: [String] = []
        let rights = Migration.all.flatMap { Self.rights(in: $0.sql) }
        let roles: [String] = try connection.query(
            "SELECT rolname::text FROM pg_roles", unableTo: "look for roles"
        ).column()
        for role in Set(rights.map(\.role)).subtracting(roles).sorted() {
            missing.append("CREATE ROLE \"\(role)\" LOGIN")
        }
        for right in rights where roles.contains(right.role) {
            let isGiven: Bool = try connection.query(
                """
                SELECT CASE WHEN $4 = '' THEN has_table_privilege($1, $2, $3)
                       ELSE (SELECT bool_and(has_column_privilege($1, $2, name, $3)) FROM unnest(string_to_array($4, ',')) name)
                       END
                """, [right.role, right.table, right.privilege, right.columns.joined(separator: ",")],
                unableTo: "look at the rights to \"\(right.table)\""
            ).value()
            if !isGiven { missing.append(right.statement) }
        }
        return missing
    }
}
