import Harness
import Testing

extension OnAServer {
    @Suite("Groups", .ownFolder) struct CustomerGroupsTests {
        @Test("a CSV file puts customers into groups, all of it or nothing, and may replace what was there")
        func groups() async throws {
            let database = try await TestDatabase.make()
            let folder = try TestFolder.required()
            func take(_ name: String, _ text: String, with options: String...) async throws -> (
                end: String, log: String
            ) {
                let file = try folder.write(name, text)
                let ended = try await Heartbeat.run(
                    ["database", "groups"] + options + [file], database.settings(as: "postgres"))
                return ("\(ended.end)", ended.log)
            }
            func stored() throws -> [[String?]] {
                try database.rows("SELECT group_name, customer_id FROM customer_groups ORDER BY 1, 2")
            }
            let first = try await take(
                "first.csv", "\u{feff}customer_id,group\nb,Ward 3\na,Ward 3\na,\"Room \"\"1\"\"\"\na,Ward 3\n")
            #expect(first.end == "exited(0)", "\(first.log)")
            #expect(first.log.contains("3 memberships of groups are new, 0 are removed"))
            #expect(try stored() == [["Room \"1\"", "a"], ["Ward 3", "a"], ["Ward 3", "b"]])
            for wrong in [
                "customer_id,ward\na,b\n", "customer_id,group\nc,Ward 4\nd,\n", "customer_id,group\n,x\n", "",
                "customer_id,group\nc,\"Room 1, window\"\n", "customer_id,group\nc,Ward\u{a0}\n",
                "customer_id,group\nc,\u{3000}Ward\n", "customer_id,group\nc,Wa\u{85}rd\n",
            ] {
                let refused = try await take("wrong.csv", wrong, with: "--replace")
                #expect(refused.end == "exited(78)" && refused.log.contains("wrong.csv"), "\(refused.log)")
            }
            #expect(try stored().count == 3)
            #expect(try await take("second.csv", "bed,group,customer_id\n7,Ward 4,b\n").end == "exited(0)")
            #expect(try stored().count == 4)
            let last = try await take("last.csv", "customer_id,group\nb,Ward 4\n", with: "--replace")
            #expect(last.log.contains("0 memberships of groups are new, 3 are removed"), "\(last.log)")
            #expect(try stored() == [["Ward 4", "b"]])
        }
    }
}
