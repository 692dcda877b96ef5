import Harness
import Testing

extension EndToEnd.Logs {
    @Test("where a log parts from what is stored is found in sealed days, too")
    func sealed() async throws {
        let pipeline = try await Pipeline(partitions: 1)
        let times = try pipeline.database.rows(
            """
            SELECT to_char(date_trunc('day', now() AT TIME ZONE 'UTC') - interval '4 days' + n * interval '1.000001 s',
                           'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM generate_series(0, 99) AS n
            """)
        try pipeline.broker.publish(
            times.enumerated().map { number, row in
                Message(customer: "c", timestamp: row[0] ?? "", heartRate: 60 + number % 60)
            })
        try await pipeline.drain()
        // As if the last 30 had been others.
        try pipeline.database.rows(
            """
            UPDATE heart_rate_readings SET customer_id = 'lost' WHERE kafka_offset >= 70;
            UPDATE kafka_offsets SET last_fingerprint = NULL
            """)
        let maintenance = try await Heartbeat.run(
            ["database", "maintain"], pipeline.database.settings(as: "heartbeat-maintenance"))
        #expect(maintenance.log.contains("1 days sealed with 100 readings"), "\(maintenance.log)")
        #expect(try pipeline.database.number("SELECT count(*) FROM heart_rate_readings") == 0)

        let consumer = try await pipeline.startReadyConsumer()
        try await pipeline.untilStored(130)
        try await pipeline.stop(consumer)
        #expect(consumer.log.contains("Kafka has lost the end of its log from offset 70 on: 30 stored messages"))
        let rows = try pipeline.database.rows(
            "SELECT count(*), count(DISTINCT recorded_at) FROM readings WHERE customer_id <> 'lost'")
        #expect(rows == [["100", "100"]], "every message that Kafka has, once")
        try await pipeline.expectSound(130)
    }
}
