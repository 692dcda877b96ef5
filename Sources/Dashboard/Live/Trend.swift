/// A customer's last five minutes in steps of ten seconds: small enough to be kept of everybody.
struct Trend: Sendable {
    /// How many steps there are.
    static let steps = 30
    /// How long a step is, in microseconds.
    static let step: Int64 = 10_000_000

    /// The latest rate of each step, oldest first; 0 of one without a reading.
    private var rates = [Int16](repeating: 0, count: Trend.steps)
    /// The number of the last step since 1970.
    private var last: Int64 = 0

    /// Takes over a reading; one that is too old is left out.
    mutating func add(_ heartRate: Int64, at time: Int64) {
        let step = time / Self.step
        if step > last {
            let shift = Int(min(step - last, Int64(Self.steps)))
            rates.removeFirst(shift)
            rates.append(contentsOf: repeatElement(0, count: shift))
            last = step
        }
        guard last - step < Self.steps else { return }
        rates[Self.steps - 1 - Int(last - step)] = Int16(clamping: heartRate)
    }

    /// Fills steps without a reading with what was stored before.
    mutating func complete(with older: [(time: Int64, heartRate: Int64)]) {
        for (time, heartRate) in older {
            let back = last - time / Self.step
            guard (0..<Int64(Self.steps)).contains(back) else { continue }
            let place = Self.steps - 1 - Int(back)
            if rates[place] == 0 { rates[place] = Int16(clamping: heartRate) }
        }
    }

    /// The steps that end now.
    func values(at now: Int64) -> [Int16?] {
        let shift = Int(max(0, min(now / Self.step - last, Int64(Self.steps))))
        return (rates.dropFirst(shift) + repeatElement(0, count: shift)).map { $0 == 0 ? nil : $0 }
    }

    /// Where the rate goes: the last half minute compared with the minute before; nil when one has no reading.
    func direction(at now: Int64) -> Direction? {
        let values = values(at: now)
        guard let before = Self.mean(values[21..<27]), let lately = Self.mean(values[27...]) else { return nil }
        if abs(lately - before) < Self.noticeable { return .steady }
        return lately > before ? .rising : .falling
    }

    enum Direction: String, Encodable, Sendable { case rising, steady, falling }

    /// A smaller difference is the heart's own unrest, in bpm.
    private static let noticeable = 6

    private static func mean(_ values: ArraySlice<Int16?>) -> Int? {
        let known = values.compactMap(\.self).map(Int.init)
        return known.isEmpty ? nil : known.reduce(0, +) / known.count
    }
}
