import AccessTokens
import Foundation
import Testing

@Suite struct TokenTableTests {
    private func file(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID().uuidString)").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func read(_ text: String) throws -> [String: AccessToken<[String]>] {
        try TokenFile.read(try file(text), called: "TOKENS") { words throws(TokenMistake) in words }
    }

    @Test("a minted token is taken, and neither another secret nor another name, until it is revoked")
    func check() throws {
        let minted = try MintedToken("gym", grant: "read,manage")
        let table = TokenTable(try read("# ours\n\n\(minted.line) # since May\n"))
        let known = try #require(table.token("Bearer \(minted.token)"))
        #expect(known.name == "gym" && known.grant == ["read,manage"])
        #expect(table.token("bearer \(minted.token)") == known && table.holds(known))
        let flipped = minted.token.dropLast() + (minted.token.hasSuffix("0") ? "1" : "0")
        for wrong in [
            "Bearer \(flipped)", "Bearer x\(minted.token)", "Bearer gym.", "Bearer gym", "Basic \(minted.token)",
            "Bearer", "", "Bearer \(minted.token) x", "Bearer nobody.\(minted.token.dropFirst(4))",
        ] {
            #expect(table.token(wrong) == nil, "\(wrong)")
        }
        #expect(table.token(nil) == nil)
        table.replace(try read("\(try MintedToken("gym", grant: "read").line)\n"))
        #expect(table.token("Bearer \(minted.token)") == nil && !table.holds(known), "revoked")
    }

    @Test("each mistake in a file is named with its line")
    func mistakes() throws {
        let line = try MintedToken("gym", grant: "read").line
        let hash = line.split(separator: " ")[1]
        for (text, words) in [
            ("a b \(hash) read", "line 1: expected the SHA-256 of the token"),
            ("gym", "line 1: expected the SHA-256"), ("gym \(hash.dropLast(2)) x", "line 1: expected the SHA-256"),
            ("\u{e9} \(hash) x", "line 1: expected a name of 1 to 50"),
            ("\(line)\n\(line)", "line 2: \"gym\" is there"),
        ] {
            #expect(performing: { try read(text) }, throws: { "\($0)".contains("TOKENS, \(words)") })
        }
        #expect(try TokenFile.read("/nowhere", called: "TOKENS") { _ throws(TokenMistake) in 0 }.isEmpty)
    }

    @Test("a token is added to its file once")
    func add() throws {
        let path = try file("")
        let minted = try MintedToken("gym", grant: "read")
        func known() throws -> [String: AccessToken<Int>] {
            try TokenFile.read(path, called: "TOKENS") { words throws(TokenMistake) in words.count }
        }
        try minted.add(to: path, known: try known())
        #expect(try known()["gym"]?.grant == 1)
        #expect(throws: (any Error).self) { try minted.add(to: path, known: try known()) }
        #expect(throws: (any Error).self) { try MintedToken("a b", grant: "read") }
    }
}
