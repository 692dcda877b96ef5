import Daemon
import HeartRate
import Simulation

/// The simulated customers' true episodes as CSV, a row as each one ends.
struct TruthFile: ~Copyable {
    /// The line that the file begins with.
    static let header = "customer_id,kind,began_at,ended_at"
    /// What is gathered before it is written, in bytes.
    private static let capacity = 16_384

    private let path: String
    private var file: GrowingFile
    private var customers: [SimulatedTruth]
    private var rows = header + "\n"

    /// Makes the file, or empties it.
    ///
    /// - Throws: `CommandFailure` when that cannot be done.
    init(path: String, customers: Int) throws(CommandFailure) {
        self.path = path
        do throws(SystemError) {
            file = try GrowingFile(path)
        } catch {
            throw CommandFailure(.config, "unable to write \"\(path)\": \(error)")
        }
        self.customers = Array(repeating: SimulatedTruth(), count: customers)
    }

    /// Takes a customer's next sample and what goes wrong with its message.
    ///
    /// - Throws: `CommandFailure` when the file cannot be written.
    mutating func take(
        _ sample: SimulatedHeart.Sample, _ fault: SimulatedFault?, of customer: Int, at now: Instant
    ) throws(CommandFailure) {
        customers[customer].take(sample, fault: fault, at: now) { rows += Self.row(customer, $0) }
        if rows.utf8.count >= Self.capacity { try flush() }
    }

    /// Writes what is left, and what goes on at the end.
    ///
    /// - Throws: `CommandFailure` when the file cannot be written.
    mutating func finish() throws(CommandFailure) {
        for customer in customers.indices { customers[customer].finish { rows += Self.row(customer, $0) } }
        try flush()
    }

    private mutating func flush() throws(CommandFailure) {
        do throws(SystemError) {
            try file.append(rows)
        } catch {
            throw CommandFailure(.software, "unable to write \"\(path)\": \(error)")
        }
        rows.removeAll(keepingCapacity: true)
    }

    private static func row(_ customer: Int, _ episode: TrueEpisode) -> String {
        "\(CustomerID(simulated: customer + 1)),\(episode.kind.rawValue),\(episode.began),\(episode.ended)\n"
    }
}
