import ArgumentParser
import Daemon
import Doctor
import FoundationEssentials

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks at settings, files, versions, units, Kafka, PostgreSQL, disk and clock, and says what to do.",
        discussion: """
            Each line is ok, skipped (it cannot be known from here), a warning or an error; below the last two is what to do \
            about it. Nothing is changed. Ends with status 0 when there is nothing to do, 1 when there are warnings, and 2 \
            when there are errors. Root sees most: it asks PostgreSQL as the users heartbeat-consumer and postgres.
            """)

    @Option(help: ArgumentHelp("Read the settings from this folder.", valueName: "folder"))
    var config = "/etc/heartbeat"

    @Option(
        help: ArgumentHelp(
            "Look at this only: \(Area.allCases.map(\.rawValue).joined(separator: ", ")). Can be given several times.",
            valueName: "area"),
        transform: { word in
            guard let area = Area(rawValue: word) else {
                throw ValidationError(
                    "expected one of \(Area.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return area
        })
    var only: [Area] = []

    @Flag(help: "List only what a person should do something about.")
    var brief = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let doctor = Doctor(Installation(folder: config, environment: environment))
        let areas = only.isEmpty ? Area.allCases : Area.allCases.filter(only.contains)
        let diagnosis = doctor.examine(areas)
        if json {
            print(diagnosis.json)
        } else {
            let text = diagnosis.text(isBrief: brief, isColoured: Terminal.hasColours)
            if !text.isEmpty { print(text) }
        }
        if diagnosis.status != 0 { throw ExitCode(diagnosis.status) }
    }
}
