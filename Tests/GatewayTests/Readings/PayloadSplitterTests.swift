import Testing

@testable import Gateway

@Suite struct PayloadSplitterTests {
    private func items(_ text: String) -> [String]? {
        let bytes = Array(text.utf8)
        return PayloadSplitter.json(bytes)?.map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test("an array is its items, whatever their texts hold")
    func array() {
        #expect(items("[]") == [])
        #expect(items(" [ ] \n") == [])
        #expect(items("[1]") == ["1"])
        #expect(items(#"[{"a": [1, 2]}, {"b": "],\"["}]"#) == [#"{"a": [1, 2]}"#, #" {"b": "],\"["}"#])
        #expect(items(#"["\\", "\\\""]"#) == [#""\\""#, #" "\\\"""#])
        #expect(items("[1,]") == ["1", ""], "what is missing is an item that is no JSON")
        #expect(items("[,1]") == ["", "1"])
    }

    @Test("what is no array is one payload")
    func single() {
        #expect(items("{}") == ["{}"])
        #expect(items("") == [""])
        #expect(items("nonsense]") == ["nonsense]"])
    }

    @Test(
        "an array without an end, or with something behind it, is none",
        arguments: ["[", "[1", "[{}] {}", "[\"]", "[[]"])
    func malformed(_ text: String) { #expect(items(text) == nil) }

    @Test("lines may end in CRLF, and blank ones do not count")
    func lines() {
        let bytes = Array("{}\r\n\n  \n{\"a\": 1}".utf8)
        let lines = PayloadSplitter.lines(bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
        #expect(lines == ["{}\r", "{\"a\": 1}"])
    }
}
