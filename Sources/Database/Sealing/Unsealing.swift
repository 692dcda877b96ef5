public import PostgreSQL

/// `heartbeat database unseal`: a sealed day becomes rows again.
extension Maintenance {
    /// Writes a sealed day's readings back into `heart_rate_readings`, in one transaction, after a look at whether they are
    /// those that were sealed. They get new ids, and this moment as `inserted_at`.
    ///
    /// - Parameter day: as `2026-08-25`.
    /// - Returns: how many readings; nil when another maintenance is running.
    /// - Throws: `PostgreSQLError`, also when the readings are not those that were sealed.
    public func unseal(day: String) throws(PostgreSQLError) -> Int64? {
        guard try isAlone() else { return nil }
        let isSealed: Bool = try connection.query(
            "SELECT EXISTS (SELECT FROM seals WHERE day = $1::date)", [day], unableTo: "look for \(day)"
        ).value()
        guard isSealed else { throw PostgreSQLError(unableTo: "unseal \(day)", cause: "it is not sealed") }
        _ = try makePartition(of: "date \(connection.literal(day))")
        return try connection.query("SELECT unseal_day($1::date)", [day], unableTo: "unseal \(day)").value()
    }
}
