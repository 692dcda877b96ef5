import Harness

/// A safeguard that is removed from outside, to see that what it prevents is noticed; or damage that it has to find.
enum Sabotage {
    /// A batch is stored although another consumer has gone on.
    case noFence
    /// Kafka's log is always taken for the one that is stored.
    case blindToFingerprints
    /// Blocks of sealed readings are damaged before they are compared with the rows.
    case damagedBlocks
    /// The same, and nobody compares them.
    case uncomparedBlocks

    /// What is changed in the database. Fingerprints are changed later: see `ScheduleRun.start`.
    func change(_ database: TestDatabase) throws {
        switch self {
        case .noFence:
            try Self.replace(
                " AND o.next_offset = a.expected_offset AND NOT o.closed", with: "", in: "advance_offsets", database)
        case .blindToFingerprints: break
        case .damagedBlocks: try Self.damageBlocks(database)
        case .uncomparedBlocks:
            try Self.damageBlocks(database)
            try Self.replace("HAVING sum(side) <> 0", with: "HAVING false", in: "pack_readings", database)
        }
    }

    private static func replace(
        _ text: String, with other: String, in function: String, _ database: TestDatabase
    ) throws {
        try database.rows(
            """
            DO $$ DECLARE
                whole text := pg_get_functiondef('\(function)'::regproc);
                less text := replace(whole, '\(text)', '\(other)');
            BEGIN
                ASSERT whole <> less;
                EXECUTE less;
            END $$
            """)
    }

    private static func damageBlocks(_ database: TestDatabase) throws {
        try database.rows(
            """
            CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                NEW.rates[1] := NEW.rates[1] + 1;
                RETURN NEW;
            END $$;
            CREATE TRIGGER damage BEFORE INSERT ON sealing_blocks FOR EACH ROW EXECUTE FUNCTION damage()
            """)
    }
}
