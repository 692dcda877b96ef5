import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    @Suite("Sealed days") struct Seals {
        @Test("every column comes back as it was, sealed and unsealed, and a reading takes a few bytes")
        func exact() async throws {
            // So many that a day is packed in several steps.
            let aged = try await AgedReadings(offsets: 11_000)
            let run = try await aged.maintain()
            #expect(run.log.contains("0 steps failed; 2 days sealed with 44010 readings"), "\(run.log)")
            #expect(try aged.differences() == 0)
            #expect(try aged.rows("SELECT count(*), count(DISTINCT id) FROM readings") == [["48410", "48410"]])
            #expect(try aged.number("SELECT count(*) FROM heart_rate_readings") == 4400, "the contract's statements")
            try await aged.expectSound("sealed: 22000 readings")
            let bytes = try aged.number("SELECT pg_table_size('sealed_readings')")
            print("\(bytes) bytes for 44,010 sealed readings")

            for day in try aged.rows("SELECT DISTINCT day FROM seals").compactMap(\.[0]) {
                let unsealed = try await aged.run(["database", "unseal", day])
                #expect(unsealed.end == .exited(0), "\(unsealed.log)")
            }
            #expect(try aged.differences() == 0)
            #expect(try aged.number("SELECT count(*) FROM heart_rate_readings") == 48_410)
            let traces = try aged.rows(
                """
                SELECT (SELECT count(*) FROM sealed_readings), (SELECT count(*) FROM seals),
                       (SELECT count(*) FROM sealed_offsets)
                """)
            #expect(traces == [["0", "0", "0"]])
            try await aged.expectSound(nil)
            for day in ["2026-13-01", "2020-01-01", "yesterday"] {
                #expect(try await aged.run(["database", "unseal", day]).end != .exited(0))
            }
        }

        @Test("millions of readings of a day are added up and looked into with little memory of the server")
        func memory() async throws {
            let database = try await TestDatabase.make()
            /// What a session needs at its peak.
            func peak(_ query: String) throws -> (rows: [[String?]], kilobytes: Int) {
                let connection = try database.connect()
                let rows = try connection.rows(query)
                let process = try #require(try connection.rows("SELECT pg_backend_pid()")[0][0])
                let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
                return (rows, try #require(Int(line.filter(\.isNumber))))
            }
            // As of batches that were stored customer by customer: each step has every other offset of two.
            try database.rows(
                """
                INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset, closed)
                VALUES ('c', 't', 0, 0, 2160000, true);
                INSERT INTO sealing_blocks (customer_id, block_at, source_id, readings, anomalies, checksum, steps, rates)
                SELECT 'c', '2026-02-19 00:00Z', source_id, 2160000, 0, 0, '{0}', '{70}' FROM kafka_offsets;
                INSERT INTO sealing_counts (source_id, readings, anomalies, checksum, offset_count, offsets)
                SELECT source_id, 8640, 0, 0, 8640,
                       (SELECT range_agg(int8range(o, o, '[]'))
                          FROM generate_series(step / 2 * 17280 + step % 2, step / 2 * 17280 + 17279, 2) AS o)
                  FROM kafka_offsets, generate_series(0, 249) AS step
                """)
            let sealing = try peak("SELECT join_sealing_counts(); SELECT add_seals('2026-02-19')")
            #expect(sealing.rows == [["2160000"]])
            #expect(try database.rows("SELECT offsets FROM seals") == [["{[0,2160000)}"]])
            // The same offsets in turn of 200 customers.
            try database.rows(
                """
                TRUNCATE sealed_readings;
                INSERT INTO sealed_readings (customer_id, block_at, source_id, first_offset, readings, anomalies, checksum,
                                             steps, rates, offset_steps)
                SELECT 'customer ' || customer, '2026-02-19 00:00Z'::timestamptz + hour * interval '1 hour', source_id,
                       hour * 720000 + customer, 3600, 0, 0, steps, rates, offset_steps
                  FROM kafka_offsets, generate_series(0, 2) AS hour, generate_series(0, 199) AS customer,
                       (SELECT array_agg(CASE n WHEN 0 THEN 0 ELSE 1000000 END) AS steps, array_agg(70) AS rates,
                               array_agg(CASE n WHEN 0 THEN 0 ELSE 200 END) AS offset_steps
                          FROM generate_series(0, 3599) AS n) AS arrays
                """)
            let checking = try peak("SELECT finding FROM check_seals('2026-02-19')")
            #expect(checking.rows == [["the readings are not those that were sealed"]], "their checksum is another")
            print("peaks of \(sealing.kilobytes) and \(checking.kilobytes) kB")
            // All offsets at once were 380 MB.
            #expect(max(sealing.kilobytes, checking.kilobytes) < 250_000)
        }

        @Test("readings without an activity are sealed as before there was one, with the same hash")
        func withoutActivity() async throws {
            let aged = try await AgedReadings()
            _ = try await aged.maintain()
            // Those of customers 0 to 2 have activities.
            let sealed = "WHERE customer_id BETWEEN 'customer 3' AND 'customer 6'"
            let blocks = try aged.rows(
                "SELECT count(activities), sum(checksum) FROM sealed_readings \(sealed)")
            let rows = try aged.rows(
                """
                SELECT 0, sum(hash_record_extended(ROW(customer_id, recorded_at, heart_rate, is_anomaly,
                       anomaly_reason COLLATE "C", is_suspect, source_id, kafka_offset), 0))
                  FROM kept \(sealed) AND recorded_at < now() - interval '3 days'
                """)
            #expect(blocks == rows)
            let told = try aged.number("SELECT count(*) FROM sealed_readings WHERE activities IS NOT NULL")
            #expect(told > 0)
        }

        @Test("a reading of a sealed day is known when it comes again")
        func repeated() async throws {
            let aged = try await AgedReadings()
            _ = try await aged.maintain()
            let found = try aged.rows(
                """
                WITH asked AS (SELECT array_agg(customer_id::text) AS ids, array_agg(recorded_at) AS times,
                                      array_agg(heart_rate) AS rates, array_agg((heart_rate + 200)::smallint) AS others
                                 FROM (SELECT DISTINCT customer_id, recorded_at, heart_rate FROM readings, seals
                                        WHERE day = (recorded_at AT TIME ZONE 'UTC')::date LIMIT 300) AS sealed)
                SELECT cardinality(ids), (SELECT count(*) FROM repeated_readings(ids, times, rates)),
                       (SELECT count(*) FROM repeated_readings(ids, times, others)) FROM asked
                """)
            #expect(found == [["300", "300", "0"]])
        }

        @Test("SEAL_AFTER_DAYS: 0 seals nothing, and a day that is young enough stays")
        func settings() async throws {
            let aged = try await AgedReadings()
            #expect(try await aged.maintain(["SEAL_AFTER_DAYS": "0"]).log.contains("; 0 days sealed"))
            #expect(try await aged.maintain(["SEAL_AFTER_DAYS": "5"]).log.contains("; 1 days sealed"))
            #expect(try await aged.maintain(["SEAL_AFTER_DAYS": "1"]).log.contains("; 1 days sealed"))
            #expect(try aged.number("SELECT count(*) FROM heart_rate_readings") == 400)
            #expect(try aged.differences() == 0)
        }

        @Test("late readings of a sealed day are stored, found at once, and sealed by the next run")
        func late() async throws {
            let aged = try await AgedReadings()
            _ = try await aged.maintain()
            // One gets a partition; with the other day a batch goes to the default partition first.
            try aged.rows("SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - 6)")
            try aged.insert(
                """
                SELECT 'customer 1', ((now() AT TIME ZONE 'UTC')::date - age)::timestamp AT TIME ZONE 'UTC' + n * interval '1 s',
                       99, n = 7, CASE WHEN n = 7 THEN 'late' END, false, source_id, 1800 + age * 100 + n, nullif(n % 5, 4)::smallint
                  FROM generate_series(0, 99) AS n, unnest(ARRAY[4, 6]) AS age, kafka_offsets
                """)
            try aged.rows(
                """
                UPDATE kafka_offsets SET next_offset = 2500;
                INSERT INTO offset_gaps SELECT source_id, 2300, 2400, 'x' FROM kafka_offsets
                """)
            #expect(try aged.number("SELECT count(*) FROM heart_rate_readings_default") == 200)
            #expect(try aged.differences() == 0)
            try await aged.expectSound("sealed: 2000 readings", more: 400)
            let run = try await aged.maintain()
            #expect(run.log.contains("0 steps failed; 2 days sealed with 400 readings"), "\(run.log)")
            #expect(try aged.differences() == 0)
            #expect(try aged.number("SELECT count(*) FROM heart_rate_readings") == 400)
            #expect(try aged.number("SELECT count(*) FROM seals") == 5)
            try await aged.expectSound("sealed: 2200 readings", more: 400)
        }

        @Test("retention drops sealed days like others, and the proof goes on")
        func retention() async throws {
            let aged = try await AgedReadings()
            _ = try await aged.maintain()
            let run = try await aged.maintain(["RETENTION_DAYS": "5"])
            #expect(run.log.contains("1 days dropped, 2000 readings"), "\(run.log)")
            #expect(try aged.number("SELECT count(*) FROM readings") == 2_410)
            try await aged.expectSound("dropped by retention: 1000 readings")
            let rest = try await aged.maintain(["RETENTION_DAYS": "1"])
            #expect(rest.log.contains("1 days dropped, 2010 readings"), "\(rest.log)")
            #expect(try aged.number("SELECT count(*) FROM sealed_readings") == 0)
            try await aged.expectSound("dropped by retention: 2000 readings")
        }

        @Test("a dump that is restored elsewhere has the same readings, and proves them")
        func dump() async throws {
            let aged = try await AgedReadings()
            _ = try await aged.maintain()
            let copy = try TestDatabase.withoutSetup()
            let cluster = aged.database.cluster
            try await shell(
                """
                cd /; export PGHOST=\(cluster.host) PGUSER=postgres; \(cluster.path(of: "createdb")) \(copy.name)
                \(cluster.path(of: "pg_dump")) \(aged.database.name) | \(cluster.path(of: "psql")) -qX \(copy.name) >/dev/null
                """)
            let readings = "SELECT count(*), sum(checksum), sum(readings) FROM sealed_readings"
            #expect(try copy.rows(readings) == aged.rows(readings))
            let verification = try await Heartbeat.run(["verify", "--deep"], copy.settings(as: "heartbeat-dashboard"))
            #expect(verification.end == .exited(0), "\(verification.output)\(verification.log)")
            #expect(verification.output.contains("2 sealed days are as they were sealed"))
        }

        @Test("the status tells sealed days from others")
        func status() async throws {
            let aged = try await AgedReadings()
            _ = try await aged.maintain()
            let status = try await aged.run(["database", "status"])
            #expect(status.output.contains("\nsealed: 2 days with 4010 readings, "), "\(status.output)")
            #expect(status.output.contains(" a sealed day; "), "\(status.output)")
            #expect(status.output.contains(" of roll-ups a day; "), "\(status.output)")
            let json = try await aged.run(["database", "status", "--json"])
            #expect(json.output.contains("\"readings\" : 4010"), "\(json.output)")
            let size = try aged.number("SELECT pg_total_relation_size('customer_rollups')")
            #expect(json.output.contains("\"rollupBytesPerDay\" : \(size / 2)"), "\(json.output)")
        }
    }
}
