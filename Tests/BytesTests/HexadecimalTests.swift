import Bytes
import Testing

@Suite("Hexadecimal") struct HexadecimalTests {
    @Test("two lower-case digits for each byte")
    func digits() {
        #expect(String(hexadecimal: [0, 1, 15, 16, 171, 255]) == "00010f10abff")
        #expect(String(hexadecimal: []) == "")
    }
}
