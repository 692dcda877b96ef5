import Foundation
import Harness
import Testing

extension OnAGateway {
    @Suite struct FHIRTests {
        /// An observation as hospitals send it, with changes.
        private static func observation(_ change: (inout [String: Any]) -> Void = { _ in }) -> [String: Any] {
            var resource: [String: Any] = [
                "resourceType": "Observation", "status": "final",
                "code": ["coding": [["system": "http://loinc.org", "code": "8867-4"]]],
                "subject": ["identifier": ["system": "urn:ward", "value": "gym_7"]],
                "effectiveDateTime": "2026-02-19T15:53:03.5+01:00",
                "valueQuantity": [
                    "value": 72, "unit": "beats/minute", "system": "http://unitsofmeasure.org", "code": "/min",
                ],
            ]
            change(&resource)
            return resource
        }

        private static func bundle(_ type: String, _ resources: [[String: Any]]) -> [String: Any] {
            let request = ["method": "POST", "url": "Observation"]
            return [
                "resourceType": "Bundle", "type": type,
                "entry": resources.map { ["resource": $0, "request": request] as [String: Any] },
            ]
        }

        private static func post(
            _ gateway: RunningGateway, _ target: String, sending resource: [String: Any]
        ) throws -> (status: Int, resource: [String: Any]) {
            let body = Array(try JSONSerialization.data(withJSONObject: resource))
            let answer = try gateway.post(target, body, type: "application/fhir+json")
            #expect(answer.headers["content-type"] == "application/fhir+json")
            return (answer.status, try answer.json())
        }

        /// Where issues are and of what kind they are.
        private static func issues(_ outcome: [String: Any]) -> [String] {
            (outcome["issue"] as? [[String: Any]] ?? []).map { issue in
                let place = (issue["expression"] as? [String])?.first ?? ""
                let details = issue["details"] as? [String: Any]
                let reason = ((details?["coding"] as? [[String: String]])?.first?["code"]).map { " \($0)" } ?? ""
                return "\(place) \(issue["code"] ?? "")\(reason)"
            }
        }

        @Test("an observation is stored as the reading that it is, and once when it comes twice")
        func observation() async throws {
            let gateway = try await RunningGateway()
            for _ in 1...2 {
                let (status, resource) = try Self.post(gateway, "/fhir/Observation", sending: Self.observation())
                #expect(status == 201, "\(resource)")
            }
            try await gateway.pipeline.drain()
            let rows = try gateway.pipeline.database.rows(
                "SELECT customer_id, recorded_at AT TIME ZONE 'UTC', heart_rate FROM heart_rate_readings")
            #expect(rows == [["gym_7", "2026-02-19 14:53:03.5", "72"]])
            try await gateway.pipeline.expectSound(2)
        }

        @Test("what is no heart rate is refused as an OperationOutcome that says where and why")
        func refused() async throws {
            let gateway = try await RunningGateway()
            func expect(_ issue: String, status: Int = 422, _ change: (inout [String: Any]) -> Void) throws {
                let answer = try Self.post(gateway, "/fhir/Observation", sending: Self.observation(change))
                #expect(answer.status == status && Self.issues(answer.resource) == [issue], "\(answer)")
            }
            func quantity(_ value: Any, _ code: String = "/min") -> [String: Any] {
                ["value": value, "system": "http://unitsofmeasure.org", "code": code]
            }
            try expect("Observation business-rule out_of_range") { $0["valueQuantity"] = quantity(300) }
            try expect("Observation value wrong_type") { $0["valueQuantity"] = quantity(72.5) }
            try expect("Observation.value value") { $0["valueQuantity"] = quantity(1.2, "/s") }
            try expect("Observation.value required") { $0["valueQuantity"] = nil }
            try expect("Observation.effective required") { $0["effectiveDateTime"] = nil }
            try expect("Observation value bad_timestamp") { $0["effectiveDateTime"] = "2026-02-19" }
            try expect("Observation.subject required") { $0["subject"] = ["reference": "Patient/1"] }
            try expect("Observation forbidden customer_not_allowed") { $0["subject"] = ["identifier": ["value": "x"]] }
            try expect("Observation.status not-supported") { $0["status"] = "entered-in-error" }
            try expect("Observation.resourceType not-supported") { $0["resourceType"] = "Patient" }
            try expect("Observation.code not-supported") { resource in
                resource["code"] = ["coding": [["system": "http://loinc.org", "code": "8310-5"]]]
            }
            try expect(" structure", status: 400) { $0["status"] = 5 }
            #expect(try gateway.pipeline.broker.messageCount() == 0)
        }

        @Test("what it takes and answers is FHIR by the models of others")
        func models() async throws {
            let gateway = try await RunningGateway()
            let good = Self.observation()
            let bad = Self.observation { $0["valueQuantity"] = nil }
            let bundle = Self.bundle("batch", [good, bad])
            var resources = [good, bundle, try gateway.get("/fhir/metadata").json()]
            for resource in [good, bad] {
                resources.append(try Self.post(gateway, "/fhir/Observation", sending: resource).resource)
            }
            for bundle in [bundle, Self.bundle("transaction", [good]), Self.bundle("transaction", [bad])] {
                resources.append(try Self.post(gateway, "/fhir", sending: bundle).resource)
            }
            let data = try JSONSerialization.data(withJSONObject: resources)
            let file = try TestFolder.required().write("resources.json", String(decoding: data, as: UTF8.self))
            let script = try TestFolder.required().write(
                "models.py",
                """
                import json, sys
                from fhir.resources.R4B import get_fhir_model_class
                for resource in json.load(open(sys.argv[1])):
                    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
                    print(resource["resourceType"])
                """)
            let models = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appending(path: ".build/fhir").path
            try #require(access(models, R_OK) == 0, "there is no \(models): packaging/test makes it")
            let found = try await shell("PYTHONPATH='\(models)' /usr/bin/python3 '\(script)' '\(file)'")
            #expect(
                found.split(separator: "\n") == [
                    "Observation", "Bundle", "CapabilityStatement", "Observation", "OperationOutcome", "Bundle",
                    "Bundle",
                    "OperationOutcome",
                ], "\(found)")
        }

        @Test("of a transaction all is taken or nothing, of a batch each by itself")
        func bundles() async throws {
            let gateway = try await RunningGateway()
            let good = Self.observation()
            let bad = Self.observation { $0["subject"] = ["identifier": ["value": "x"]] }
            let none = Self.observation { $0["code"] = nil }
            let refused = try Self.post(gateway, "/fhir", sending: Self.bundle("transaction", [good, bad]))
            #expect(refused.status == 422)
            #expect(Self.issues(refused.resource) == ["Bundle.entry[1].resource forbidden customer_not_allowed"])
            #expect(try gateway.pipeline.broker.messageCount() == 0)
            let mixed = try Self.post(gateway, "/fhir", sending: Self.bundle("batch", [none, good, bad]))
            let entries = try #require(mixed.resource["entry"] as? [[String: [String: Any]]])
            #expect(
                entries.map { ($0["response"]?["status"] as? String)?.prefix(3) } == ["422", "201", "422"], "\(mixed)")
            let taken = try Self.post(gateway, "/fhir", sending: Self.bundle("transaction", [good, good]))
            #expect(taken.status == 200 && taken.resource["type"] as? String == "transaction-response")
            #expect(try gateway.pipeline.broker.messageCount() == 3)
            #expect(try Self.post(gateway, "/fhir", sending: Self.bundle("document", [good])).status == 422)
            let capabilities = try gateway.get("/fhir/metadata").json()
            #expect(capabilities["resourceType"] as? String == "CapabilityStatement")
        }
    }
}
