import Bytes
public import Daemon
import Zlib

/// A file of comma-separated values whose first line names the columns, a gzip or not.
public enum Table {
    /// Reads the rows, with the cells of some columns, in the order of the names.
    ///
    /// - Parameters:
    ///   - path: the file's.
    ///   - needed: columns that have to be there.
    ///   - optional: columns whose cells are empty where they are not.
    ///   - body: is called with the number of each line and its cells.
    /// - Throws: `CommandFailure` that names file and line.
    public static func read(
        _ path: String, needed: [String], optional: [String] = [],
        _ body: (_ line: Int, _ cells: [String]) throws(CommandFailure) -> Void
    ) throws(CommandFailure) {
        var number = 0
        do {
            var lines = try LineReader(path: path)
            var splitter = CSVSplitter()
            var places: [Int] = []
            while let line = try lines.next() {
                number += 1
                if isBlank(line) { continue }
                let fields = try splitter.split(line.extracting(droppingFirst: number == 1 ? markLength(line) : 0))
                if places.isEmpty {
                    places = try Self.places(
                        of: (0..<fields.count).map { String(bytes: fields[$0]) }, needed: needed, optional: optional)
                } else {
                    try body(number, places.map { $0 >= 0 && $0 < fields.count ? String(bytes: fields[$0]) : "" })
                }
            }
        } catch let failure as CommandFailure {
            throw number > 0 ? CommandFailure(.config, "\(path):\(number): \(failure.message)") : failure
        } catch let error as GzipError {
            throw CommandFailure(.config, "\(path): \(error.cause)")
        } catch {
            throw CommandFailure(.config, "\(path):\(number): \(error)")
        }
        if number == 0 { throw CommandFailure(.config, "\(path): the file is empty") }
    }

    /// The names of a file's columns.
    ///
    /// - Throws: `CommandFailure` when it cannot be read.
    public static func header(of path: String) throws(CommandFailure) -> [String] {
        do {
            var lines = try LineReader(path: path)
            var splitter = CSVSplitter()
            guard let line = try lines.next() else { throw CommandFailure(.config, "\(path): the file is empty") }
            let fields = try splitter.split(line.extracting(droppingFirst: markLength(line)))
            return (0..<fields.count).map { String(bytes: fields[$0]) }
        } catch let failure as CommandFailure {
            throw failure
        } catch let error as GzipError {
            throw CommandFailure(.config, "\(path): \(error.cause)")
        } catch {
            throw CommandFailure(.config, "\(path):1: \(error)")
        }
    }

    private static func places(
        of names: [String], needed: [String], optional: [String]
    ) throws(CommandFailure) -> [Int] {
        let missing = needed.filter { !names.contains($0) }
        guard missing.isEmpty else {
            throw CommandFailure(.config, "there is no column \"\(missing.joined(separator: "\" and no \""))\"")
        }
        return (needed + optional).map { names.firstIndex(of: $0) ?? -1 }
    }
}
