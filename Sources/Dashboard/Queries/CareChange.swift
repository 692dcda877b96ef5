internal import HeartRate
internal import PostgreSQL

/// What somebody sets for a customer: each is one call of a function of the database, which also notes who and when.
struct CareChange: Sendable {
    private let customer: CustomerKey
    private let person: String
    private let note: String?

    init(_ customer: CustomerKey, by person: String, note: String? = nil) {
        self.customer = customer
        self.person = person
        self.note = note
    }

    /// - Returns: whether there is such a customer.
    func setLimits(
        lowest: Int?, highest: Int?, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Bool {
        try call(
            "set_customer_limits",
            with: "\(Self.number(lowest))::smallint, \(Self.number(highest))::smallint, \(literal(note, connection))",
            connection)
    }

    /// - Parameter minutes: 0 ends a pause.
    /// - Returns: whether there is such a customer.
    func pause(minutes: Int, _ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Bool {
        try call("pause_customer", with: "\(minutes), \(literal(note, connection))", connection)
    }

    /// - Returns: whether there is such a customer.
    func setGroups(_ names: [String], _ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Bool {
        var texts: [String] = []
        for name in names { texts.append(try connection.literal(name)) }
        return try call("set_customer_groups", with: "ARRAY[\(texts.joined(separator: ", "))]::text[]", connection)
    }

    /// - Parameter episode: one that this person has acknowledged; nil for a note about the customer.
    /// - Returns: whether there is such a customer, or acknowledgement.
    func addNote(to episode: Int?, _ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Bool {
        try call("add_note", with: "\(literal(note, connection)), \(Self.number(episode))", connection)
    }

    private func call(
        _ function: String, with arguments: String, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Bool {
        try connection.execute(
            """
            SET TRANSACTION READ WRITE; SELECT \(function)(\(literal(customer.text, connection)), \
            \(literal(person, connection)), \(arguments))
            """, unableTo: "set something for a customer"
        ).value()
    }

    private func literal(_ text: String?, _ connection: PostgreSQLConnection) throws(PostgreSQLError) -> String {
        guard let text else { return "NULL" }
        return try connection.literal(text)
    }

    private static func number(_ number: Int?) -> String { number.map(String.init) ?? "NULL" }
}

/// What was done for a customer, the latest first: the schema "Care" of openapi.json.
struct CarePage: Encodable, Sendable {
    /// A row of `care_log`.
    struct Entry: Encodable, Sendable {
        let careId: Int64
        let at: Moment
        let by: String
        let action: String
        @OrNull var episodeId: Int64?
        @OrNull var severity: String?
        @OrNull var note: String?
        @OrNull var oldValue: String?
        @OrNull var newValue: String?
    }

    let items: [Entry]
    @OrNull var nextBefore: Int64?

    init(
        of customer: CustomerKey, before: Int, limit: Int, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        let result = try connection.query(
            """
            SELECT care_id, \(microseconds(of: "acted_at")) AS acted_us, person, action, episode_id, severity, note,
                   old_value, new_value
              FROM care_log WHERE customer_id = $1 AND care_id < $2::bigint ORDER BY care_id DESC LIMIT \(limit + 1)
            """, [customer, before], unableTo: "read \"care_log\"")
        let found = try result.map { row throws(PostgreSQLError) in
            let at: Int64 = try row["acted_us"]
            return Entry(
                careId: try row["care_id"], at: Moment(microseconds: at), by: try row["person"],
                action: try row["action"], episodeId: try row["episode_id"], severity: try row["severity"],
                note: try row["note"], oldValue: try row["old_value"], newValue: try row["new_value"])
        }
        items = Array(found.prefix(limit))
        _nextBefore = OrNull(wrappedValue: found.count > limit ? items.last?.careId : nil)
    }
}
