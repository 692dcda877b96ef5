/// How long a disk lasts on which several things grow.
struct DiskForecast {
    /// Something that grows by as much each day, until retention drops as much as comes.
    struct Growth {
        /// How much it grows, in bytes a day.
        let bytesPerDay: Int64
        /// In how many days it stops growing, 0 when it has; nil for never.
        let steadyIn: Int?
    }

    /// In how many days it is full; nil for never.
    let daysUntilFull: Int?

    /// - Parameter freeBytes: what is free now.
    init(freeBytes: Int64, _ growths: [Growth]) {
        var (free, day) = (freeBytes, 0)
        while true {
            let growing = growths.filter { $0.bytesPerDay > 0 && $0.steadyIn ?? .max > day }
            let bytesPerDay = growing.reduce(0) { $0 + $1.bytesPerDay }
            guard bytesPerDay > 0 else {
                daysUntilFull = nil
                return
            }
            let next = growing.compactMap(\.steadyIn).min() ?? .max
            let days = Int(free / bytesPerDay)
            guard days > next - day else {
                daysUntilFull = day + days
                return
            }
            free -= Int64(next - day) * bytesPerDay
            day = next
        }
    }
}
