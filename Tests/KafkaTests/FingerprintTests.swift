import Kafka
import Testing

/// Fingerprints are stored: what these tests expect is what databases have.
@Suite("Fingerprints") struct FingerprintTests {
    private func fingerprint(_ parts: [[UInt8]?]) -> Int64 {
        var fingerprint = Fingerprint()
        for part in parts {
            if let part { fingerprint.add(part.span.bytes) } else { fingerprint.add(nil) }
        }
        return fingerprint.value
    }

    @Test("every byte and every border counts")
    func different() {
        let texts = ["", "a", "b", "ab", "ba", "abcdefg", "abcdefgh", "abcdefghi", "\0", "\0\0"].map { Array($0.utf8) }
        var found = Set(texts.map { fingerprint([$0]) })
        #expect(found.count == texts.count && !found.contains(fingerprint([nil])))
        found = [
            fingerprint([[1], [2]]), fingerprint([[1, 2], []]), fingerprint([nil, [1, 2]]), fingerprint([[], [1, 2]]),
        ]
        #expect(found.count == 4)
    }
}
