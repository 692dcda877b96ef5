import Harness
import Testing

extension EndToEnd {
    /// Kafka deletes the beginning of a log before it was read.
    @Suite("Deleted before it was read") struct Retentions {
        @Test("it has one name, at the start of a consumer and while it is running", arguments: [true, false])
        func deleted(isRunning: Bool) async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            var consumer = try await pipeline.startReadyConsumer()
            try await faulty.write(batches: batches(0..<500))
            try await pipeline.untilStored(500)
            if !isRunning { try await pipeline.stop(consumer) }
            try await faulty.write(batches: batches(500..<1000), deletingBefore: 750)
            if !isRunning { consumer = try await pipeline.startReadyConsumer() }
            try await pipeline.untilAllStored(faulty)
            try await faulty.write(batches: batches(1000..<1050))
            try await pipeline.untilAllStored(faulty)
            try await pipeline.stop(consumer)
            #expect(consumer.log.contains(" error consumer: Kafka has deleted 250 messages before they were read"))
            let gaps = try pipeline.database.rows("SELECT from_offset, until_offset, reason FROM offset_gaps")
            #expect(gaps == [["500", "750", "deleted by Kafka before it was read"]])
            // What retention deletes after it was stored is nobody's loss.
            try await pipeline.expectAll(of: faulty.dump(), lost: 500)
            try await pipeline.expectSound(800)
        }

        @Test("what was read before it was deleted is stored, also when PostgreSQL takes it only after that")
        func readBefore() async throws {
            let faulty = try await FaultyBroker(partitions: 2)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let manager = try ServiceManager()
            let metrics = try TestFolder.required().path
            let consumer = try await pipeline.startReadyConsumer(
                "consumer", manager.environment.merging(["METRICS_DIRECTORY": metrics]) { $1 })
            let holder = try pipeline.database.connect()
            try holder.rows("SELECT pg_advisory_lock(20)")
            try pipeline.database.rows(
                """
                CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN PERFORM pg_advisory_xact_lock_shared(20); RETURN NULL; END $$;
                CREATE TRIGGER hold AFTER INSERT ON heart_rate_readings FOR EACH STATEMENT EXECUTE FUNCTION hold()
                """)
            try await faulty.write(batches: batches(5000..<5010))
            try await eventually("a batch is held up") {
                try pipeline.database.number("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1
            }
            let invalid = Message(key: [], value: Array("none".utf8))
            for partition in 0...1 {
                try await faulty.write(batches: batches(partition * 2000..<partition * 2000 + 500), to: partition)
                try await faulty.write([invalid], to: partition)
            }
            try await eventually("all is read") {
                contents(metrics + "/consumer.prom").contains(/heartbeat_consumer_rejected_total{.*} 2\n/)
            }
            for partition in 0...1 {
                let more = batches(partition * 2000 + 500..<partition * 2000 + 1000)
                try await faulty.write(batches: more, to: partition, deletingBefore: 750)
            }
            try await eventually("the logs are not as they were") {
                manager.status.contains("the logs of partitions 0, 1 are being examined")
            }
            try holder.rows("SELECT pg_advisory_unlock(20)")
            try await pipeline.untilAllStored(faulty)
            try await pipeline.stop(consumer)
            let gaps = try pipeline.database.rows(
                """
                SELECT partition, from_offset, until_offset FROM offset_gaps JOIN kafka_offsets USING (source_id) ORDER BY 1
                """)
            #expect(gaps == [["0", "511", "750"], ["1", "501", "750"]])
            try await pipeline.expectSound(2012 - (750 - 511) - (750 - 501))
        }
    }
}
