import Foundation
import Harness
import PostgreSQL
import Simulation
import Testing

extension OnAServer {
    @Suite("Sealing that is broken off or goes wrong") struct SealFaults {
        private static let seeds: [UInt64] = {
            let environment = ProcessInfo.processInfo.environment
            if let given = environment["HEARTBEAT_TEST_SEED"].flatMap({ UInt64($0) }) { return [given] }
            return environment["HEARTBEAT_TEST_LONG"] == "1" ? Array(1...20) : [1, 2, 3]
        }()

        @Test("a maintenance that is killed at any moment loses nothing and doubles nothing; the next one continues")
        func killed() async throws {
            // So many that most moments are in the midst of it.
            let aged = try await AgedReadings(offsets: 5000)
            for seed in Self.seeds {
                var generator = SplitMix64(seed: seed)
                let maintenance = try Heartbeat.start(
                    "maintain \(seed)", ["database", "maintain"],
                    settings: aged.database.settings(as: "heartbeat-maintenance"))
                let wait = Duration.milliseconds(.random(in: 20...1500, using: &generator))
                try await Task.sleep(for: wait)
                maintenance.kill(SIGKILL)
                _ = try await maintenance.waitForEnd(within: .seconds(30))
                // Its sessions may still be at work.
                try await eventually("its sessions have ended") {
                    try aged.number(
                        """
                        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                           AND application_name IN ('heartbeat-maintenance', 'heartbeat-sealing')
                        """) == 0
                }
                let state = try aged.rows(
                    """
                    SELECT (SELECT count(DISTINCT day) FROM seals), (SELECT count(*) FROM sealing_blocks),
                           (SELECT count(*) FROM pg_inherits WHERE inhparent = 'heart_rate_readings_closed'::regclass)
                    """)[0].compactMap(\.self)
                print("seed \(seed), \(wait): \(state[0]) days sealed, \(state[1]) blocks packed, \(state[2]) closed")
                #expect(try aged.differences() == 0, "seed \(seed)")
                #expect(try aged.rollupDifferences() == 0, "seed \(seed)")
                let isSealed = state[0] != "0"
                try await aged.expectSound(isSealed ? "sealed: " : nil)
                if isSealed {
                    // Once more from the beginning.
                    for day in try aged.rows("SELECT DISTINCT day FROM seals").compactMap(\.[0]) {
                        _ = try await aged.run(["database", "unseal", day])
                    }
                    #expect(try aged.differences() == 0, "seed \(seed), unsealed")
                    #expect(try aged.number("SELECT count(*) FROM customer_rollups") == 0)
                }
            }
            #expect(try await aged.maintain().end == .exited(0))
            #expect(try aged.differences() == 0)
            #expect(try aged.rollupDifferences() == 0)
            try await aged.expectSound("sealed: 10000 readings")
        }

        @Test(
            "a maintenance at its roll-ups holds no old snapshot; killed then, it leaves none, and the next one continues",
            arguments: ["sealing_rollups", "customer_rollups"])
        func killedInRollups(table: String) async throws {
            let aged = try await AgedReadings()
            try aged.rows(
                """
                CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF NEW.customer_id = 'customer 5' THEN PERFORM pg_sleep(300); END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER stall BEFORE INSERT ON \(table) FOR EACH ROW EXECUTE FUNCTION stall()
                """)
            let maintenance = try Heartbeat.start(
                "maintain", ["database", "maintain"], settings: aged.database.settings(as: "heartbeat-maintenance"))
            let sessions = "pg_stat_activity WHERE datname = current_database() AND application_name"
            // Others may not see what a session waits for.
            try aged.rows("RESET ROLE")
            try await eventually("it is at the roll-ups") {
                try aged.number("SELECT count(*) FROM \(sessions) <> '' AND wait_event = 'PgSleep'") == 1
            }
            let ours = "IN ('heartbeat-maintenance', 'heartbeat-sealing')"
            // What its locks kept alive of the tables that batches update would make each batch slower.
            let idle = try aged.rows(
                "SELECT count(backend_xmin), count(*) > 0 FROM \(sessions) \(ours) AND state = 'idle in transaction'")
            #expect(idle == [["0", "t"]], "sessions that hold a lock and a snapshot")
            maintenance.kill(SIGKILL)
            _ = try await maintenance.waitForEnd(within: .seconds(30))
            try aged.rows("SELECT pg_terminate_backend(pid) FROM \(sessions) \(ours)")
            try await eventually("its sessions have ended") {
                try aged.number("SELECT count(*) FROM \(sessions) \(ours)") == 0
            }
            #expect(try aged.differences() == 0)
            #expect(try aged.rows("TABLE seals").isEmpty && aged.rows("TABLE customer_rollups").isEmpty)
            try aged.rows("DROP TRIGGER stall ON \(table)")
            #expect(try await aged.maintain().log.contains("0 steps failed; 2 days sealed with 4010 readings"))
            #expect(try aged.differences() == 0)
            #expect(try aged.rollupDifferences() == 0)
        }

        @Test("a sealing waits for an autovacuum of its own tables, which ends when one has waited for a second")
        func vacuumed() async throws {
            let aged = try await AgedReadings()
            let vacuum = try aged.database.connect()
            try vacuum.rows("BEGIN")
            try vacuum.rows("LOCK TABLE sealing_blocks IN SHARE UPDATE EXCLUSIVE MODE")
            let maintenance = try Heartbeat.start(
                "maintain", ["database", "maintain"], settings: aged.database.settings(as: "heartbeat-maintenance"))
            // Longer than it waits for what consumers need.
            try await eventually("it waits") {
                try aged.number(
                    """
                    SELECT count(*) FROM pg_locks
                     WHERE relation = 'sealing_blocks'::regclass AND waitstart < clock_timestamp() - interval '500 ms'
                    """) == 1
            }
            try vacuum.rows("COMMIT")
            #expect(try await maintenance.waitForEnd(within: .seconds(60)) == .exited(0))
            #expect(maintenance.log.contains("0 steps failed; 2 days sealed"), "\(maintenance.log)")
            #expect(try aged.differences() == 0)
        }

        /// Ways to damage a block on its way into the table.
        private static let damages = [
            "NEW.rates[1] := NEW.rates[1] + 1", "NEW.steps[2] := NEW.steps[2] + 1", "NEW.offset_steps[2] := 6",
            "NEW.first_offset := NEW.first_offset + 1", "NEW.flags := NULL", "NEW.reasons[1] := 'another'",
            "NEW.source_id := 3 - NEW.source_id", "NEW.customer_id := 'another'",
            "NEW.block_at := NEW.block_at + '1 us'", "NEW := NULL", "NEW.checksum := 0", "NEW.anomalies := 0",
            "NEW.readings := 1", "NEW.activities := NULL",
            "NEW.activities[2] := (coalesce(NEW.activities[2], 0) + 1) % 4",
        ]

        @Test("packed readings that are not those of the rows are noticed, and the rows stay")
        func damaged() async throws {
            let aged = try await AgedReadings()
            for damage in Self.damages {
                try aged.rows(
                    """
                    CREATE OR REPLACE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN
                        IF num_nonnulls(NEW.reasons, NEW.activities) = 2 AND NEW.readings > 1 AND NEW.source_id = 1 THEN
                            \(damage);
                        END IF;
                        RETURN NEW;
                    END $$;
                    CREATE OR REPLACE TRIGGER damage BEFORE INSERT ON sealing_blocks
                        FOR EACH ROW EXECUTE FUNCTION damage()
                    """)
                let run = try await aged.maintain()
                #expect(run.end == .exited(70), "\(damage): \(run.log)")
                #expect(run.log.contains("2 steps failed; 0 days sealed"), "\(damage): \(run.log)")
                #expect(try aged.differences() == 0, "\(damage)")
            }
            try await aged.expectSound(nil)
            try aged.rows("DROP TRIGGER damage ON sealing_blocks")
            #expect(try await aged.maintain().log.contains("0 steps failed; 2 days sealed with 4010 readings"))
            #expect(try aged.differences() == 0)
            try await aged.expectSound("sealed: 2000 readings")
        }

        @Test(
            "a day that has an offset twice, or one that is sealed already, stays as it is, and verify still reports it",
            arguments: [1, 2])
        func doubled(runsBefore: Int) async throws {
            let aged = try await AgedReadings()
            if runsBefore == 2 { _ = try await aged.maintain() }
            try aged.insert(
                """
                SELECT customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect, source_id, kafka_offset,
                       activity
                  FROM kept WHERE kafka_offset = 1042
                """)
            let run = try await aged.maintain()
            #expect(run.end == .exited(70) && run.log.contains("that are stored twice"), "\(run.log)")
            #expect(try aged.differences() == 0)
            let verification = try await aged.run(["verify"])
            #expect(verification.end == .exited(1))
            #expect(verification.output.contains("STORED TWICE OR NOT READ: 1042"), "\(verification.output)")
        }

        @Test("a column that seals do not have keeps all days from being sealed")
        func column() async throws {
            let aged = try await AgedReadings()
            try aged.rows("ALTER TABLE heart_rate_readings ADD COLUMN device text")
            let run = try await aged.maintain()
            #expect(run.end == .exited(70) && run.log.contains("do not have: device"), "\(run.log)")
            #expect(try aged.number("SELECT count(*) FROM heart_rate_readings") == 4_410)
        }

        @Test("nobody changes a day while it is sealed, readers see all of it, and inserts go on")
        func locked() async throws {
            let aged = try await AgedReadings()
            let reader = try aged.database.connect()
            // Holds the closed day when its rows are to be dropped.
            try reader.rows("BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE readings IN ACCESS SHARE MODE")
            let maintenance = try Heartbeat.start(
                "maintain", ["database", "maintain"],
                settings: aged.database.settings(as: "heartbeat-maintenance"))
            let log = try #require(PrivatePostgreSQL.current)
            try await eventually("it waits for the reader of the table") {
                log.log.contains("canceling statement due to lock timeout")
            }
            try reader.rows("COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ")
            let closed = try await first("a day is closed, and packed") {
                try aged.rows(
                    """
                    SELECT relation::regclass FROM pg_locks WHERE mode = 'ShareLock' AND granted
                       AND relation::regclass::text LIKE 'closed_readings_%'
                    """
                ).first?[0]
            }
            #expect(try reader.rows("SELECT count(*) FROM readings")[0] == ["4410"])
            let other = try aged.database.connect()
            try other.rows("SET lock_timeout = '100ms'")
            #expect(throws: PostgreSQLError.self) { try other.rows("DELETE FROM \(closed)") }
            try aged.insert("SELECT 'x', now(), 70, false, NULL, false, NULL::integer, NULL::bigint, 1::smallint")
            try await eventually("it waits for the reader of the closed day") {
                log.log.contains("LOCK TABLE \"\(closed)\" IN ACCESS EXCLUSIVE MODE")
            }
            // The other reader of all does not wait behind it for long.
            #expect(try aged.differences() == 0)
            #expect(try reader.rows("SELECT count(*) FROM readings")[0] == ["4410"], "its snapshot")
            try reader.rows("COMMIT")
            #expect(try await maintenance.waitForEnd(within: .seconds(120)) == .exited(0), "\(maintenance.log)")
            #expect(try aged.differences() == 0)
        }

        /// What somebody may do to sealed days, and what verify says: the latter only with --deep, or without it, too.
        private static let changes: [(change: String, isDeep: Bool, finding: String)] = [
            ("UPDATE sealed_offsets SET offsets = offsets - '{[5,6)}'::int8multirange", false, "MISSING: 5\n"),
            ("DELETE FROM seals WHERE day = (SELECT min(day) FROM seals)", false, "= 1200 readings"),
            ("UPDATE seals SET readings = readings - 1", false, "NOT SOUND"),
            ("DELETE FROM sealed_readings", false, "sealed, and none of its readings is there"),
            ("UPDATE seals SET offsets = '{[1,3)}'", true, "other offsets than those that were sealed"),
            (
                "UPDATE seals SET offsets = '{[1,1001)}' WHERE offsets = '{[0,1000)}'", true,
                "other offsets than those that were sealed"
            ),
            (
                "UPDATE seals SET offsets = '{[0,1001)}' WHERE offsets = '{[0,1000)}'", true,
                "other offsets than those that were sealed"
            ),
            ("UPDATE sealed_readings SET rates[1] = 77", true, "the readings are not those that were sealed"),
            ("DELETE FROM sealed_readings WHERE customer_id = 'customer 1'", true, " readings, sealed were 1000"),
            ("UPDATE sealed_readings SET activities = NULL", true, "the readings are not those that were sealed"),
            ("UPDATE sealed_readings SET activities = flags", true, "the readings are not those that were sealed"),
            ("UPDATE sealed_readings SET block_at = block_at + interval '1 us'", true, "are not those"),
            (
                """
                INSERT INTO sealed_readings (customer_id, block_at, source_id, first_offset, readings, anomalies, checksum,
                                             steps, rates, offset_steps, flags, reasons, reason_numbers)
                SELECT customer_id, block_at, source_id, first_offset, readings, anomalies, checksum, steps, rates,
                       offset_steps, flags, reasons, reason_numbers FROM sealed_readings WHERE source_id = 1 LIMIT 1
                """, true, " readings, sealed were 1000"
            ),
        ]

        @Test("what is changed in sealed days afterwards is found: in the seals by verify, in the readings by --deep")
        func tampered() async throws {
            let aged = try await AgedReadings()
            _ = try await aged.maintain()
            let tables = ["sealed_offsets", "seals", "sealed_readings"]
            for table in tables { try aged.rows("CREATE TABLE \(table)_before AS TABLE \(table)") }
            for (change, isDeep, finding) in Self.changes {
                try aged.rows(change)
                let plain = try await aged.run(["verify"])
                #expect((plain.end == .exited(0)) == isDeep, "\(change): \(plain.output)")
                let deep = try await aged.run(["verify", "--deep"])
                #expect(deep.end == .exited(1), "\(change)")
                #expect((isDeep ? deep : plain).output.contains(finding), "\(change): \(deep.output)")
                for table in tables { try aged.rows("TRUNCATE \(table); INSERT INTO \(table) TABLE \(table)_before") }
            }
            try await aged.expectSound("sealed: 2000 readings")
            let day = try aged.rows("UPDATE sealed_readings SET rates[1] = 77; SELECT min(day) FROM seals")[0][0] ?? ""
            let unseal = try await aged.run(["database", "unseal", day])
            #expect(unseal.end != .exited(0) && unseal.log.contains("are not sound"), "\(unseal.log)")
            #expect(try aged.number("SELECT count(*) FROM heart_rate_readings") == 400)
        }
    }
}
