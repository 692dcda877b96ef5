import Foundation
import Harness
import HeartRate
import Testing

extension OnAServer {
    @Suite("FHIR", .ownFolder) struct FHIRTests {
        /// A bundle's resources, and where its next page is.
        private func bundle(
            _ dashboard: RunningDashboard, _ target: String
        ) throws -> (resources: [[String: Any]], next: String?) {
            let answer = try dashboard.get("/fhir/" + target)
            #expect(answer.status == 200, "\(target): \(answer.text)")
            #expect(answer.headers["content-type"] == "application/fhir+json")
            let bundle = try answer.json()
            #expect(bundle["resourceType"] as? String == "Bundle" && bundle["type"] as? String == "searchset")
            let entries = bundle["entry"] as? [[String: Any]] ?? []
            let links = bundle["link"] as? [[String: String]] ?? []
            return (
                entries.compactMap { $0["resource"] as? [String: Any] },
                links.first { $0["relation"] == "next" }?["url"]
            )
        }

        /// `time rate` of observations.
        private func readings(_ resources: [[String: Any]]) -> [String] {
            resources.map { resource in
                let quantity = resource["valueQuantity"] as? [String: Any]
                return "\(resource["effectiveDateTime"] ?? "") \(quantity?["value"] ?? "")"
            }
        }

        private func stored(_ database: TestDatabase, _ condition: String) throws -> [String] {
            try database.rows(
                """
                SELECT to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ' ' || heart_rate
                  FROM heart_rate_readings WHERE \(condition) ORDER BY recorded_at, id
                """
            ).compactMap(\.[0])
        }

        @Test("a customer's readings are found by time, page by page, each once, also several of one moment")
        func observations() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 300)
            try database.rows(
                """
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly)
                SELECT 'cust_0001', date_trunc('second', now()) - interval '100 s', 100 + n, false
                  FROM generate_series(1, 25) AS n
                """)
            let dashboard = try await RunningDashboard(database: database)
            var found: [String] = []
            var next: String? = "Observation?patient=cust_0001&code=http://loinc.org%7C8867-4&_count=7"
            var pages = 0
            while let target = next {
                let page = try bundle(dashboard, target)
                #expect(page.resources.count <= 7)
                found += readings(page.resources)
                next = page.next
                pages += 1
            }
            #expect(pages > 40)
            #expect(try found == stored(database, "customer_id = 'cust_0001'"))
            let moment = try #require(
                try database.rows(
                    """
                    SELECT to_char(max(recorded_at) AT TIME ZONE 'UTC' - interval '50 s', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                      FROM heart_rate_readings
                    """)[0][0])
            for (query, condition) in [
                ("date=ge\(moment)", ">= '\(moment)'"), ("date=gt\(moment)", "> '\(moment)'"),
                ("date=le\(moment)", "<= '\(moment)'"), ("date=lt\(moment)", "< '\(moment)'"),
                ("date=\(moment)", "= '\(moment)'"),
                ("date=ge\(moment)&date=lt2100", ">= '\(moment)'"), ("date=lt2020", "< '2020-01-01'"),
            ] {
                let page = try bundle(
                    dashboard, "Observation?patient=cust_0002&category=vital-signs&_count=1000&\(query)")
                let expected = try stored(database, "customer_id = 'cust_0002' AND recorded_at \(condition)")
                #expect(readings(page.resources) == expected && page.next == nil, "\(query)")
            }
            for query in ["code=8310-5", "code=urn:x%7C8867-4", "category=laboratory", "date=ge2030&date=lt2020"] {
                #expect(try bundle(dashboard, "Observation?patient=cust_0001&\(query)").resources.isEmpty, "\(query)")
            }
            #expect(try bundle(dashboard, "Observation?patient=nobody").resources.isEmpty)
        }

        @Test("the latest readings, and who is meant by whatever way to say it")
        func latest() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 300)
            try database.store("a,b|c\\d$e", 77)
            let dashboard = try await RunningDashboard(database: database)
            let one = try bundle(dashboard, "Observation/$lastn?patient=cust_0002&code=8867-4")
            #expect(try readings(one.resources) == [stored(database, "customer_id = 'cust_0002'").last ?? ""])
            let ten = try bundle(dashboard, "Observation/$lastn?patient=cust_0002&max=10")
            #expect(try readings(ten.resources) == stored(database, "customer_id = 'cust_0002'").suffix(10).reversed())
            let all = try bundle(dashboard, "Observation/$lastn?subject:identifier=urn:ward%7Ccust_0002&max=1000")
            #expect(all.resources.count == 300)
            for query in [
                "patient=a%5C,b%5C%7Cc%5C%5Cd%5C$e", "patient:identifier=%7Ca%5C,b%5C%7Cc%5C%5Cd%5C$e",
                "subject=a%5C,b%5C%7Cc%5C%5Cd$e",
            ] {
                let found = try bundle(dashboard, "Observation/$lastn?" + query).resources.first
                let subject = (found?["subject"] as? [String: [String: String]])?["identifier"]
                #expect(subject?["value"] == "a,b|c\\d$e", "\(query)")
            }
        }

        @Test("readings of sealed days are the same resources as before")
        func sealed() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 1, seconds: 10)
            try database.rows(
                """
                SET ROLE heartbeat;
                SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - 10);
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, source_id,
                                                 kafka_offset)
                SELECT 'cust_0001', date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '10 days'
                       + interval '7 hours' + s / 2 * interval '1 s', 60 + s % 40, s % 97 = 0,
                       CASE WHEN s % 97 = 0 THEN 'tachycardia (bpm=207 > threshold=180)' END, 2, s
                  FROM generate_series(0, 14399) AS s;
                INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset)
                SELECT 'c', 'heartbeat', 1, 1, 21601
                """)
            let dashboard = try await RunningDashboard(database: database)
            func all() throws -> [String] {
                var texts: [String] = []
                var next: String? = "Observation?patient=cust_0001&_count=999"
                while let target = next {
                    let page = try bundle(dashboard, target)
                    texts += try page.resources.map { resource in
                        String(
                            decoding: try JSONSerialization.data(withJSONObject: resource, options: .sortedKeys),
                            as: UTF8.self)
                    }
                    next = page.next
                }
                return texts
            }
            let before = try all()
            #expect(before.count == 14_410)
            let maintenance = try await Heartbeat.run(
                ["database", "maintain"], database.settings(as: "heartbeat-maintenance"))
            #expect(maintenance.log.contains("1 days sealed"), "\(maintenance.log)")
            #expect(try all().sorted() == before.sorted())
            #expect(try bundle(dashboard, "Observation/$lastn?patient=cust_0001&max=1000").resources.count == 1000)
        }

        @Test("episodes are DetectedIssues, by patient and time, page by page")
        func issues() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 3, seconds: 10)
            let old = try database.episode(of: "cust_0001", "signal loss", "medium", since: 4000, until: 3900)
            let high = try database.episode(of: "cust_0002", "tachycardia", "low", since: 500, until: 400)
            try database.wasHigh(high)
            let open = try database.episode(of: "cust_0001", "bradycardia", "low", since: 100)
            try database.acknowledge(open, by: "Anna")
            let dashboard = try await RunningDashboard(database: database)
            func ids(_ query: String) throws -> [String] {
                try bundle(dashboard, "DetectedIssue?" + query).resources.compactMap { $0["id"] as? String }
            }
            #expect(try ids("") == ["\(open)", "\(high)", "\(old)"])
            #expect(try ids("patient=cust_0001") == ["\(open)", "\(old)"])
            let hourAgo = Date(timeIntervalSinceNow: -3600).formatted(.iso8601)
            #expect(try ids("identified=ge\(hourAgo)") == ["\(open)", "\(high)"])
            #expect(try ids("identified=lt\(hourAgo)") == ["\(old)"])
            let first = try bundle(dashboard, "DetectedIssue?_count=2")
            let second = try bundle(dashboard, try #require(first.next))
            #expect(first.resources.count == 2 && second.resources.count == 1 && second.next == nil)
            let issue = first.resources[0]
            #expect(issue["status"] as? String == "preliminary" && issue["severity"] as? String == "low")
            let mitigation = (issue["mitigation"] as? [[String: Any]])?.first
            #expect((mitigation?["author"] as? [String: String])?["display"] == "Anna")
            #expect(first.resources[1]["severity"] as? String == "high", "a closed one counts as its worst")
            #expect(second.resources[0]["severity"] as? String == "moderate")
        }

        @Test("what cannot be used is refused as an OperationOutcome")
        func refused() async throws {
            let dashboard = try await RunningDashboard()
            for (target, status, code) in [
                ("Observation", 400, "value"), ("Observation?patient=", 400, "value"),
                ("Observation?patient=a%5Cb", 400, "value"), ("Observation?patient=a%5C", 400, "value"),
                ("Observation?subject:identifier=x%7Ca%5C%5C%5Cb", 400, "value"),
                ("Observation/$lastn?patient=a&code=8867%5C-4", 400, "value"),
                ("DetectedIssue?patient=%5C", 400, "value"),
                ("Observation?patient=a,b", 400, "value"), ("Observation?patient=a&subject=a", 400, "value"),
                ("Observation?patient=a&date=x", 400, "value"), ("Observation?patient=a&date=ne2026", 400, "value"),
                ("Observation?patient=a&_count=0", 400, "value"), ("Observation?patient=a&_sort=-date", 400, "value"),
                ("Observation?patient=a&_page=x", 400, "value"), ("Observation?patient=a&code=1&code=2", 400, "value"),
                ("Observation?patient=a&_page=1_-1", 400, "value"),
                ("Observation?patient=a&_format=xml", 406, "not-supported"),
                ("metadata?_format=xml", 406, "not-supported"),
                ("Observation/$lastn?patient=a&max=1001", 400, "value"), ("Observation/17", 404, "not-found"),
                ("Patient", 404, "not-found"), ("DetectedIssue?identified=2026", 400, "value"),
                ("metadata?x=1", 400, "value"),
            ] {
                let answer = try dashboard.get("/fhir/" + target, ["Accept: text/html"])
                let issue = (try answer.json()["issue"] as? [[String: Any]])?.first
                #expect(answer.status == status && issue?["code"] as? String == code, "\(target): \(answer.text)")
                #expect(answer.headers["content-type"] == "application/fhir+json")
            }
            let posted = try dashboard.get("/fhir/Observation", method: "POST")
            #expect(posted.status == 405 && posted.text.contains("OperationOutcome"))
            #expect(try dashboard.get("/fhir/metadata", host: "evil.example").text.contains("OperationOutcome"))
        }

        @Test("all that it answers is FHIR by the models of others")
        func models() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 30)
            try database.episode(of: "cust_0001", "signal loss", "medium", since: 4000, until: 3900)
            try database.acknowledge(database.episode(of: "cust_0001", "bradycardia", "high", since: 100), by: "Anna")
            let dashboard = try await RunningDashboard(database: database)
            let resources = try [
                "metadata", "Observation?patient=cust_0001&_count=5", "Observation?patient=nobody",
                "Observation/$lastn?patient=cust_0002", "DetectedIssue", "Observation",
            ].map { try dashboard.get("/fhir/" + $0).json() }
            let data = try JSONSerialization.data(withJSONObject: resources)
            let folder = try TestFolder.required()
            let file = try folder.write("resources.json", String(decoding: data, as: UTF8.self))
            let script = try folder.write(
                "models.py",
                """
                import json, sys
                from fhir.resources.R4B import get_fhir_model_class
                for resource in json.load(open(sys.argv[1])):
                    model = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
                    entries = getattr(model, "entry", None) or []
                    print(resource["resourceType"], *sorted({type(entry.resource).__name__ for entry in entries}))
                """)
            let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appending(path: ".build/fhir").path
            try #require(access(models, R_OK) == 0, "there is no \(models): packaging/test makes it")
            let found = try await shell("PYTHONPATH='\(models)' /usr/bin/python3 '\(script)' '\(file)'")
            #expect(
                found.split(separator: "\n") == [
                    "CapabilityStatement", "Bundle Observation", "Bundle", "Bundle Observation", "Bundle DetectedIssue",
                    "OperationOutcome",
                ], "\(found)")
        }
    }
}
