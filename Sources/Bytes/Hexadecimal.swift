extension String {
    /// Two lower-case digits for each byte.
    public init(hexadecimal bytes: some Sequence<UInt8>) {
        self = ""
        for byte in bytes {
            for nibble in [byte >> 4, byte & 15] {
                let digit = nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
                unicodeScalars.append(Unicode.Scalar(digit))
            }
        }
    }
}
