import HeartRate
import PostgreSQL

extension ReadingStore {
    /// The messages of a batch that ask to be stored only once, and whose readings are stored or come before in the batch.
    ///
    /// It is exact although it comes before the transaction: a customer's messages are in one partition, and what another
    /// consumer writes of it meanwhile moves the offset from which this batch may start.
    func repeated(in batch: borrowing Batch) throws(PostgreSQLError) -> [Batch.Place] {
        let onces = batch.onces
        var ids = ArrayText(capacity: onces.count * 12)
        var times = ArrayText(capacity: onces.count * 30)
        var rates = ArrayText(capacity: onces.count * 4)
        for (row, _) in onces {
            let observation = batch.observations[row]
            ids.append(utf8: batch.customers.customers.id(Int(observation.customer)))
            times.append(observation.recordedAt)
            rates.append(observation.heartRate)
        }
        let rows: [Int64] = try connection.query(
            "SELECT repeated_readings($1::text[], $2::timestamptz[], $3::smallint[])", [ids, times, rates],
            unableTo: "look for repeated readings"
        ).column()
        return rows.map { onces[Int($0) - 1].place }
    }
}
