import ArgumentParser
import Daemon
import Database
import Logging
import PostgreSQL
import Schema
import SharedSettings

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Proves that every Kafka message is stored exactly once, as a reading or as a rejected message.",
        discussion: """
            Ends with status 1 and the offsets when one is missing or stored twice, or when Kafka has another log than the \
            one that is stored. When Kafka does not answer, the database alone is checked. Sealed days are proved by their \
            seals, which were written from the rows; --deep reads all of their readings.


            """ + SettingsSchema.database.help)

    @OptionGroup var options: SettingsOptions

    @Flag(
        help: """
            Also look into the sealed days: whether their readings are those that were sealed, and their roll-ups those of \
            their readings.
            """)
    var deep = false

    func run() throws {
        guard let settings = try options.load(.database) else { return }
        startLogging(level: settings[.logLevel])
        let (connection, verification) = try settings.asOperator("heartbeat-consumer", running: "verify") {
            let connection = try PostgreSQLConnection(settings.postgresParameters, .verify)
            return (
                connection,
                try TerminalProgress.during("counting the stored messages") { _ in try Verification(connection) }
            )
        }
        let findings = try TerminalProgress.during("comparing with Kafka") { _ in Self.compare(verification, settings) }
        for source in verification.sources {
            print([Self.line(source), findings[source.sourceID]?.text].compactMap { $0 }.joined(separator: "; "))
        }
        for day in verification.emptyDays { print("\(day): sealed, and none of its readings is there") }
        if deep { try Self.lookIntoSeals(connection) }
        guard verification.isSound else {
            print("NOT SOUND: the offsets above are missing or stored twice")
            throw ExitCode(1)
        }
        guard !findings.values.contains(where: \.isAnother) else {
            print(
                "NOT SOUND: Kafka has other logs than those that are stored. A consumer finds that out and reads them")
            throw ExitCode(1)
        }
        let consumed = verification.sources.reduce(0) { $0 + $1.consumed }
        let readings = verification.sources.reduce(0) { $0 + $1.readings }
        print("sound: \(consumed) messages = \(readings) readings + \(consumed - readings) rejected, each exactly once")
        let dropped = verification.sources.reduce(0) { $0 + $1.droppedReadings + $1.droppedRejected }
        if dropped > 0 { print("\(dropped) of them are no longer there: retention has dropped them") }
    }

    private static func lookIntoSeals(_ connection: PostgreSQLConnection) throws {
        let seals = try TerminalProgress.during("reading the sealed days") { _ in try SealVerification(connection) }
        for finding in seals.findings { print("\(finding.day): source \(finding.sourceID): \(finding.text)") }
        guard seals.findings.isEmpty else {
            print("NOT SOUND: the sealed readings above are not those that were sealed")
            throw ExitCode(1)
        }
        for finding in seals.rollupFindings {
            print("\(finding.day): customer \"\(finding.customerID)\": \(finding.text)")
        }
        guard seals.rollupFindings.isEmpty else {
            print(
                """
                NOT SOUND: the roll-ups above are not those of the sealed readings, which are sound. Have them made again: \
                delete these customers' rows of these days from "customer_rollups", insert the days into "rollups_due", and \
                run "heartbeat database maintain"
                """)
            throw ExitCode(1)
        }
        print("\(seals.days) sealed days are as they were sealed, and so are their roll-ups")
    }

    /// What Kafka has of each partition; nothing when that cannot be asked.
    private static func compare(_ verification: Verification, _ settings: Settings) -> [Int64: LogComparison.Finding] {
        guard verification.sources.contains(where: \.isOpen) else { return [:] }
        do {
            return try LogComparison(verification.sources, settings).findings
        } catch {
            Logger(label: "verify").warning("not compared with the logs of \(settings.kafkaPlace): \(error)")
            return [:]
        }
    }

    private static func line(_ source: Verification.Source) -> String {
        var line = "\(source.topic) [\(source.partition)]"
        if source.incarnation > 1 { line += " (incarnation \(source.incarnation))" }
        line += """
            : offsets \(source.firstOffset) to \(source.nextOffset - 1), \(source.consumed) consumed = \
            \(source.readings) readings + \(source.rejected) rejected
            """
        if source.gaps > 0 { line += ", \(source.gaps) in gaps" }
        if source.holes > 0 { line += ", \(source.holes) offsets without a message" }
        if source.isContinued {
            line +=
                "; goes on where Kafka lost the end of its log: \(source.lost) stored messages are no longer in Kafka"
        }
        if source.sealedReadings > 0 { line += "; sealed: \(source.sealedReadings) readings" }
        if source.droppedReadings + source.droppedRejected > 0 {
            line += "; dropped by retention: \(source.droppedReadings) readings + \(source.droppedRejected) rejected"
        }
        func list(_ items: [String]) -> String {
            items.joined(separator: ", ") + (items.count == Verification.mostListed ? ", ..." : "")
        }
        if !source.missing.isEmpty {
            line +=
                "; MISSING: "
                + list(
                    source.missing.map {
                        $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)"
                    })
        }
        if !source.surplus.isEmpty { line += "; STORED TWICE OR NOT READ: " + list(source.surplus.map { "\($0)" }) }
        return line
    }
}
