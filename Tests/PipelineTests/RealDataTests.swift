import Foundation
import Harness
import Testing

extension EndToEnd {
    /// Recordings of real hearts go through the whole, and every row is compared with what awk makes of the file.
    @Suite("Real data") struct RealData {
        /// The whole recordings beside the checkout when they are there, otherwise the excerpts in the checkout.
        static let files: [String] = {
            let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let whole = package.deletingLastPathComponent().appending(path: "shared/data")
            let names = ["clinical_vitaldb_beats", "clinical_mitbih_beats", "exercise_fit_tcx"]
            let found = names.map { whole.appending(path: $0 + ".csv.gz").path }
            if found.allSatisfy({ access($0, R_OK) == 0 }) { return found }
            return ["mitbih", "exercise", "fitbit"].map {
                package.appending(path: "Tests/Fixtures/\($0)_excerpt.csv").path
            }
        }()

        @Test("every row is stored as it was recorded, or left out with its reason", arguments: files)
        func replay(file: String) async throws {
            let folder = try TestFolder.required()
            let recording = folder.path + "/recording.csv"
            try await shell(
                file.hasSuffix(".gz") ? "gzip -dc '\(file)' > '\(recording)'" : "cp '\(file)' '\(recording)'")
            let pipeline = try await Pipeline(partitions: 8)
            let consumer = try await pipeline.startReadyConsumer()
            let producer = try await Heartbeat.run(
                ["producer", "--replay", file, "--flat-out", "--skip-invalid"], pipeline.broker.producerSettings)
            #expect(producer.end == .exited(0))
            let expected = try await expectedRows(recording)
            let leftOut = expected.rows - expected.readings
            let sentence = ": out_of_range: heart_rate is "
            #expect(producer.log.contains(sentence) == (leftOut > 0))
            #expect(producer.log.contains("; \(leftOut) of \(expected.rows) rows cannot be stored") == (leftOut > 0))
            try await pipeline.untilStored(expected.readings)
            try await pipeline.stop(consumer)
            try await pipeline.expectSound(expected.readings)

            let stored = """
                SELECT customer_id, to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), heart_rate,
                       is_anomaly, anomaly_reason FROM heart_rate_readings
                """
            try await export(stored, from: pipeline.database, to: "stored")
            let difference = try await shell("cd '\(folder.path)' && diff expected-stored stored | head -20")
            #expect(difference.isEmpty, "rows that are expected (<) and rows that are stored (>)")
            print("\(file): \(expected.rows) rows = \(expected.readings) readings + \(leftOut) left out")
        }

        /// What has to be in the database, by awk from the recording: written to files, and counted.
        private func expectedRows(_ recording: String) async throws -> (rows: Int, readings: Int) {
            // The contract's thresholds by default: 40 and 180.
            let program = #"""
                NR == 1 { next }
                $3 > 0 && $3 < 300 {
                    instant = $2; sub(/Z$/, "000Z", instant); flag = "f"; reason = ""
                    if ($3 < 40) { flag = "t"; reason = "bradycardia (bpm=" $3 " < threshold=40)" }
                    if ($3 > 180) { flag = "t"; reason = "tachycardia (bpm=" $3 " > threshold=180)" }
                    print $1 "," instant "," $3 "," flag "," reason > "unsorted-stored"; next
                }
                """#
            let folder = try TestFolder.required()
            try folder.write("program.awk", program)
            let counts = try await shell(
                """
                cd '\(folder.path)' && awk -F, -f program.awk '\(recording)' && sort unsorted-stored > expected-stored \
                && tail -n +2 '\(recording)' | grep -c . && grep -c . expected-stored
                """
            ).split(separator: "\n").compactMap { Int($0) }
            try #require(counts.count == 2)
            return (counts[0], counts[1])
        }

        /// Writes a query's rows to a file by psql, sorted.
        private func export(_ query: String, from database: TestDatabase, to file: String) async throws {
            let folder = try TestFolder.required()
            let sql = try folder.write("\(file).sql", "COPY (\(query)) TO STDOUT (FORMAT csv)")
            let psql =
                "\(database.cluster.path(of: "psql")) -h '\(database.cluster.host)' -U postgres -d \(database.name)"
            try await shell(
                "PGTZ=UTC \(psql) -X -q -v ON_ERROR_STOP=1 -f '\(sql)' | sort > '\(folder.path)/\(file)'")
        }
    }
}
