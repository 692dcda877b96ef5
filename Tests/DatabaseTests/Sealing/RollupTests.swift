import Harness
import Testing

extension OnAServer {
    @Suite("Roll-ups per customer") struct Rollups {
        /// Readings of customers with limits of their own, of both sides, of one side and of a profile.
        private func limitedReadings(offsets: Int = 1000) async throws -> AgedReadings {
            let aged = try await AgedReadings(offsets: offsets)
            try aged.rows(
                """
                INSERT INTO customer_limits (customer_id, heart_rate_min, heart_rate_max, profile)
                VALUES ('customer 1', 60, 120, NULL), ('customer 2', NULL, 150, NULL), ('customer 3', NULL, NULL, 'athlete'),
                       ('customer 4', 20, NULL, NULL)
                """)
            // Slow ones, with a beat each 0.7 s and pauses, and one alone on its day.
            try aged.insert(
                """
                SELECT 'customer ' || n % 7, ((now() AT TIME ZONE 'UTC')::date - 4)::timestamp AT TIME ZONE 'UTC'
                       + n * interval '0.7 s' + n / 50 * interval '20 s', 25 + n % 30, n % 30 < 15,
                       CASE WHEN n % 30 < 15 THEN 'bradycardia (bpm=' || 25 + n % 30 || ' < threshold=40)' END, false,
                       NULL::integer, NULL::bigint, CASE WHEN n % 5 > 1 THEN n / 77 % 4 END::smallint
                  FROM generate_series(0, 999) AS n
                 UNION ALL
                SELECT 'alone', ((now() AT TIME ZONE 'UTC')::date - 4)::timestamp AT TIME ZONE 'UTC' + interval '5 h', 210, true,
                       'tachycardia (bpm=210 > threshold=180)', false, NULL, NULL, NULL
                """)
            return aged
        }

        @Test("minutes, hours and days are what the readings say, and leave with a day that is unsealed")
        func exact() async throws {
            let aged = try await limitedReadings(offsets: 11_000)
            #expect(try await aged.maintain().log.contains("0 steps failed; 2 days sealed"))
            #expect(try aged.rollupDifferences() == 0)
            let sums = try aged.rows(
                """
                SELECT width, count(*) > 0, sum(readings), sum(seconds_beyond) > 100 FROM rollups GROUP BY 1 ORDER BY 1
                """)
            #expect(sums == [["1", "t", "45011", "t"], ["60", "t", "45011", "t"], ["1440", "t", "45011", "t"]])
            let alone = try aged.rows("SELECT seconds_beyond FROM rollups WHERE customer_id = 'alone' AND width = 1")
            #expect(alone == [["5"]])
            let customer = try await aged.run(["database", "customer", "customer 1"])
            #expect(customer.log.contains("there is no customer"), "nobody has its state: \(customer.log)")

            let days = try aged.rows("SELECT DISTINCT day FROM seals ORDER BY 1").compactMap(\.[0])
            _ = try await aged.run(["database", "unseal", days[0]])
            #expect(try aged.rollupDifferences() == 0)
            #expect(try aged.number("SELECT count(DISTINCT day) FROM customer_rollups") == 1)
            _ = try await aged.maintain()
            #expect(try aged.rollupDifferences() == 0)
            #expect(try aged.number("SELECT count(DISTINCT day) FROM customer_rollups") == 2)
        }

        @Test("late readings are in the roll-ups of their day when they are sealed, and not before")
        func late() async throws {
            let aged = try await limitedReadings()
            _ = try await aged.maintain()
            try aged.rows("CREATE TABLE before AS TABLE customer_rollups")
            try aged.insert(
                """
                SELECT who, ((now() AT TIME ZONE 'UTC')::date - age)::timestamp AT TIME ZONE 'UTC' + n * interval '1 s', 190 + n % 5,
                       true, 'tachycardia', false, NULL::integer, NULL::bigint, 3::smallint
                  FROM generate_series(0, 199) AS n, unnest(ARRAY[4, 6]) AS age, unnest(ARRAY['customer 1', 'new']) AS who
                """)
            #expect(try changes(aged) == 0, "what is not sealed is no roll-up's")
            #expect(try await aged.maintain().log.contains("0 steps failed; 2 days sealed with 800 readings"))
            #expect(try aged.rollupDifferences() == 0)
            #expect(try aged.number("SELECT count(DISTINCT day) FROM customer_rollups WHERE customer_id = 'new'") == 2)
        }

        /// How many roll-ups are other ones than those that were kept.
        private func changes(_ aged: AgedReadings) throws -> Int {
            try aged.number(
                """
                SELECT count(*) FROM ((TABLE before EXCEPT TABLE customer_rollups)
                                      UNION ALL (TABLE customer_rollups EXCEPT TABLE before)) AS changes
                """)
        }

        @Test("roll-ups outlive readings, for ROLLUP_RETENTION_DAYS, and are not deleted before them")
        func retention() async throws {
            let aged = try await limitedReadings()
            _ = try await aged.maintain()
            try aged.rows("CREATE TABLE before AS TABLE customer_rollups")
            _ = try await aged.maintain(["ROLLUP_RETENTION_DAYS": "3"])
            #expect(try changes(aged) == 0, "the readings are there")
            #expect(try await aged.maintain(["RETENTION_DAYS": "5"]).log.contains("1 days dropped"))
            #expect(try aged.number("SELECT count(*) FROM seals WHERE day = (SELECT min(day) FROM before)") == 0)
            #expect(try changes(aged) == 0)

            // Retention is longer again, and readings come for the dropped day: what it was stays.
            try aged.insert(
                """
                SELECT 'customer 1', day::timestamp AT TIME ZONE 'UTC', 99, false, NULL, false, NULL::integer, NULL::bigint, NULL::smallint
                  FROM (SELECT min(day) FROM before) AS days (day)
                """)
            #expect(try await aged.maintain().log.contains("0 steps failed; 1 days sealed with 1 readings"))
            #expect(try changes(aged) == 0)
            try await expectSoundRollups(aged)
            let day = try aged.rows("SELECT min(day) FROM before")[0][0] ?? ""
            #expect(try await aged.run(["database", "unseal", day]).end == .exited(0))
            #expect(try changes(aged) == 0)

            _ = try await aged.maintain(["RETENTION_DAYS": "5", "ROLLUP_RETENTION_DAYS": "0"])
            #expect(try changes(aged) == 0)
            let run = try await aged.maintain(["RETENTION_DAYS": "5", "ROLLUP_RETENTION_DAYS": "5"])
            #expect(run.log.contains(" roll-ups were deleted"), "\(run.log)")
            #expect(try aged.rows("SELECT min(day) FROM customer_rollups") == aged.rows("SELECT max(day) FROM before"))
        }

        @Test("days that were sealed before there were roll-ups get them from their sealed readings")
        func due() async throws {
            let aged = try await limitedReadings(offsets: 11_000)
            #expect(try await aged.maintain(["SEAL_AFTER_DAYS": "0"]).end == .exited(0))
            #expect(try aged.number("SELECT count(*) FROM customer_rollups") == 0, "what is not sealed has none")
            _ = try await aged.maintain()
            try aged.rows("INSERT INTO rollups_due SELECT DISTINCT day FROM seals; TRUNCATE customer_rollups")
            try await expectSoundRollups(aged)
            let run = try await aged.maintain()
            #expect(run.log.contains("has roll-ups now, of 7 customers"), "\(run.log)")
            #expect(try aged.rollupDifferences() == 0)
            #expect(try aged.number("SELECT count(*) FROM rollups_due") == 0)
        }

        @Test(
            "a roll-up that is not of all readings is noticed, and the rows stay",
            arguments: [
                "NEW.readings := NEW.readings - 1", "NEW := NULL", "NEW.anomalies := 0", "NEW.day := NEW.day - 1",
            ])
        func damaged(damage: String) async throws {
            let aged = try await limitedReadings()
            try aged.rows(
                """
                CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF NEW.customer_id = 'customer 5' AND NEW.width = 60 THEN \(damage); END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER damage BEFORE INSERT ON sealing_rollups FOR EACH ROW EXECUTE FUNCTION damage()
                """)
            let run = try await aged.maintain()
            #expect(run.end == .exited(70) && run.log.contains("is not of all sealed readings of customer customer 5"))
            #expect(run.log.contains("2 steps failed; 0 days sealed"), "\(run.log)")
            #expect(try aged.differences() == 0)
            #expect(try aged.number("SELECT count(*) FROM customer_rollups") == 0)
        }

        /// What somebody may do to a roll-up, and what `verify --deep` says of it.
        private static let changes = [
            ("UPDATE customer_rollups SET counts[2] = counts[2] + 1", 60, "the hour from 01:00 has "),
            ("UPDATE customer_rollups SET medians[1] = medians[1] + 1", 1, "the minute from 00:00 has "),
            ("UPDATE customer_rollups SET below[1] = below[1] + 1", 1440, "the day from 00:00 has "),
            ("UPDATE customer_rollups SET above[3] = above[3] + 1", 60, "the hour from 02:00 has "),
            ("UPDATE customer_rollups SET anomaly_counts = NULL, anomalies = 0", 1440, ", the roll-up says "),
            ("UPDATE customer_rollups SET steps[1] = steps[1] + 1", 60, "the hour from 00:00 has "),
            ("UPDATE customer_rollups SET readings = readings + 1", 1440, "the day has "),
            ("UPDATE customer_rollups SET readings = readings - 1", 1, "the sum of minutes has "),
            ("DELETE FROM customer_rollups", 60, ", the roll-up says nothing"),
        ]

        @Test("roll-ups that are changed afterwards are found by verify --deep, and made again as it says")
        func tampered() async throws {
            let aged = try await limitedReadings()
            _ = try await aged.maintain()
            try await expectSoundRollups(aged)
            try aged.rows("CREATE TABLE before AS TABLE customer_rollups")
            let day = try aged.rows("SELECT min(day) FROM seals")[0][0] ?? ""
            let row = "customer_id = 'customer 1' AND day = '\(day)'"
            for (change, width, finding) in Self.changes {
                try aged.rows("\(change) WHERE \(row) AND width = \(width)")
                let deep = try await aged.run(["verify", "--deep"])
                #expect(deep.end == .exited(1), "\(change), \(width)")
                #expect(deep.output.contains("\(day): customer \"customer 1\": "), "\(change): \(deep.output)")
                #expect(deep.output.contains(finding), "\(change): \(deep.output)")
                try aged.rows(
                    "DELETE FROM customer_rollups WHERE \(row); INSERT INTO rollups_due VALUES ('\(day)')")
                _ = try await aged.maintain()
                #expect(try changes(aged) == 0, "\(change)")
            }
            try await expectSoundRollups(aged)
        }

        private func expectSoundRollups(_ aged: AgedReadings) async throws {
            let deep = try await aged.run(["verify", "--deep"])
            #expect(deep.output.contains("are as they were sealed, and so are their roll-ups"), "\(deep.output)")
        }
    }
}
