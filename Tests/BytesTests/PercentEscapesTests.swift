import Bytes
import Testing

@Suite struct PercentEscapesTests {
    @Test("two hexadecimal digits after a percent sign are a byte, and fewer are none")
    func escapes() {
        func text(_ escaped: String) -> String? {
            unescapingPercents(escaped[...]).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(text("bed%207") == "bed 7")
        #expect(text("%C3%A4%2c") == "ä,")
        #expect(text("") == "")
        for wrong in ["%", "a%2", "%g0", "%+1", "%%"] { #expect(text(wrong) == nil, "\(wrong)") }
    }
}
