import Bytes
import Testing

@Suite("Escaped control characters") struct EscapedControlsTests {
    @Test(
        "what could end a line or hide a part of it is escaped",
        arguments: [
            ("a\nb\tc\rd", #"a\nb\tc\u{d}d"#), ("\u{1b}[2J\u{202e}\u{2028}\0", #"\u{1b}[2J\u{202e}\u{2028}\u{0}"#),
            ("Größe 37 °C 😀 日本", "Größe 37 °C 😀 日本"), ("", ""),
        ])
    func escaped(text: String, expected: String) {
        #expect(escapingControls(text) == expected)
        #expect(escapingControls(expected) == expected, "nothing is left to escape")
    }

    @Test(
        "a limit counts the characters of the text, not of its escapes",
        arguments: [
            ("abc", 3, "abc"), ("abcd", 3, "abc…"), ("\n\n\n", 3, #"\n\n\n"#), ("\n\n\n\n", 3, #"\n\n\n…"#),
            ("äöü", 3, "äöü"),
        ])
    func limited(text: String, limit: Int, expected: String) {
        #expect(escapingControls(text, limit: limit) == expected)
    }
}
