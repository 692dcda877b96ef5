extension Detector {
    /// The form's number; another one is not read.
    private static let version: UInt8 = 3

    /// Appends the state, some 220 bytes: a detector made of them goes on as this one would.
    public func writeCheckpoint(to bytes: inout [UInt8]) {
        let start = bytes.count
        // Moved there and back, so that nothing is copied.
        var coder = CheckpointCoder(writingTo: bytes)
        bytes = []
        coder.append(Self.version)
        var copy = self
        copy.code(&coder)
        bytes = coder.takeBytes()
        let sum = Self.checksum(bytes.span.extracting(start..<bytes.count))
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: sum >> shift)) }
    }

    /// The state that was written; nil when the bytes are none.
    public init?(checkpoint: [UInt8]) {
        let end = checkpoint.count - 4
        guard end > 0, checkpoint[0] == Self.version else { return nil }
        var sum: UInt32 = 0
        for index in 0..<4 { sum |= UInt32(checkpoint[end + index]) << UInt32(index * 8) }
        guard sum == Self.checksum(checkpoint.span.extracting(0..<end)) else { return nil }
        self.init()
        var coder = CheckpointCoder(reading: checkpoint, from: 1, to: end)
        code(&coder)
        guard !coder.failed, coder.isAtEnd else { return nil }
    }

    /// FNV-1a, so that bytes of something else are not taken for a state.
    private static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        var sum: UInt32 = 2_166_136_261
        for index in bytes.indices { sum = (sum ^ UInt32(bytes[index])) &* 16_777_619 }
        return sum
    }

    private mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&lastAt, after: 0)
        if lastAt != noTime { coder.origin = lastAt }
        clock.code(&coder)
        window.code(&coder)
        period.code(&coder)
        slow.code(&coder)
        fast.code(&coder)
        deviation.code(&coder)
        baseline.code(&coder)
        runs.code(&coder)
        irregularity.code(&coder)
        effort.code(&coder)
        restingSlow.code(&coder)
        restingFast.code(&coder)
        sleep.code(&coder)
        trend.code(&coder)
        coder.codeOptionalTime(&minuteAt, none: noTime)
        silence.code(&coder)
        coder.codeOptionalTime(&settledAt, none: noTime)
        flat.code(&coder)
        poor.code(&coder)
        coder.code(&lastRate, after: 0)
        coder.code(&trustedRate, after: lastRate)
        coder.code(&calm, in: 0...32)
        codePending(&coder)
    }

    private mutating func codePending(_ coder: inout CheckpointCoder) {
        var count = UInt16(pending.count)
        coder.code(&count, in: 0...UInt16(Self.mostPending))
        for index in 0..<Int(count) {
            var sample = coder.isReading ? Sample(0, at: .earliest) : pending[index]
            var activity = sample.activity?.rawValue ?? UInt8(Activity.allCases.count)
            coder.codeTime(&sample.at)
            coder.code(&sample.rate, after: 0)
            coder.code(&activity, in: 0...UInt8(Activity.allCases.count))
            sample.activity = Activity(rawValue: activity)
            if coder.isReading { pending.append(sample) }
        }
    }
}
