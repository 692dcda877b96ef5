import Digest
import Testing

@Suite struct SHA256Tests {
    @Test("the digests are those of FIPS 180-4's examples")
    func examples() {
        func hexadecimal(_ text: String) -> String {
            sha256(Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(hexadecimal("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hexadecimal("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            hexadecimal("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }

    @Test("bytes are the same only when all of them are")
    func same() {
        #expect(isSame([1, 2, 3], [1, 2, 3]))
        #expect(!isSame([1, 2, 3], [1, 2, 4]))
        #expect(!isSame([1, 2, 3], [1, 2]))
        #expect(isSame([], []))
    }
}
