internal import Bytes
internal import Daemon
internal import FoundationEssentials
internal import HeartRate

/// The file of receivers and routes, a line each:
///
/// ```text
/// receiver NAME webhook URL [secret=whsec_BASE64]
/// receiver NAME alertmanager URL
/// receiver NAME alertmanager-webhook URL [secret=whsec_BASE64]
/// receiver NAME mail ADDRESS
/// route NAME [severity=LOWEST] [kind=LIST] [group=LIST] [event=LIST] [quiet=BEGIN-END@ZONE]
/// ```
///
/// A LIST is separated by commas. A blank in a kind is written as `_`; a blank, `,`, `#` and `%` in a group's name as in a
/// URL: `%20`. What comes after `#` is a comment.
enum RoutesFile {
    /// Each receiver has a thread.
    static let mostReceivers = 20

    /// What the file that the settings name says; nothing when there is no such file.
    ///
    /// - Throws: what is wrong with the file, with the number of the line.
    static func read(_ settings: Settings) throws(SettingsError) -> Routes {
        let name = settings.describe(.notifierRoutesFile)
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try readWholeFile(settings[.notifierRoutesFile])
        } catch {
            guard error.isNoSuchFile else { throw SettingsError(["\(name): unable to read the file: \(error)"]) }
            return Routes()
        }
        return try parse(String(decoding: bytes, as: UTF8.self), name: name)
    }

    /// - Parameter name: what the file is called where something is wrong with it.
    static func parse(_ text: String, name: String) throws(SettingsError) -> Routes {
        var routes = Routes()
        var problems: [(line: Int, words: String)] = []
        var places: [Int] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            do throws(Malformed) {
                let before = routes.routes.count
                try read(line, into: &routes)
                if routes.routes.count > before { places.append(index + 1) }
            } catch {
                problems.append((index + 1, error.words))
            }
        }
        // A route may come before its receiver.
        let names = Set(routes.receivers.map(\.name))
        if problems.isEmpty {
            problems = zip(places, routes.routes).filter { !names.contains($1.receiver) }.map {
                ($0, "there is no receiver \"\($1.receiver)\"")
            }
        }
        guard problems.isEmpty else {
            throw SettingsError(problems.map { "\(name), line \($0.line): \($0.words)" })
        }
        return routes
    }

    private static func read(_ line: Substring, into routes: inout Routes) throws(Malformed) {
        let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
        switch words.first {
        case nil: return
        case "receiver":
            let receiver = try receiver(Array(words.dropFirst()))
            guard !routes.receivers.contains(where: { $0.name == receiver.name }) else {
                throw Malformed("the receiver \"\(receiver.name)\" is there twice")
            }
            guard routes.receivers.count < mostReceivers else {
                throw Malformed("there are more than \(mostReceivers) receivers")
            }
            routes.receivers.append(receiver)
        case "route": routes.routes.append(try route(Array(words.dropFirst())))
        case .some(let word): throw Malformed("\"\(escapingControls(String(word)))\": expected receiver or route")
        }
    }

    // MARK: - Receivers

    private static func receiver(_ words: [Substring]) throws(Malformed) -> Receiver {
        guard words.count >= 3 else { throw Malformed("expected receiver NAME WAY ADDRESS") }
        guard isName(words[0]) else { throw Malformed("expected a name of 1 to 50 letters, digits, \"-\" and \"_\"") }
        let (name, address, more) = (String(words[0]), String(words[2]), words.dropFirst(3))
        let way: Receiver.Way
        switch words[1] {
        case "webhook": way = .webhook(url: try url(address), key: try key(more))
        case "alertmanager-webhook": way = .alertmanagerWebhook(url: try url(address), key: try key(more))
        case "alertmanager":
            guard more.isEmpty else { throw Malformed("expected nothing after Alertmanager's URL") }
            var url = try url(address)
            while url.hasSuffix("/") { url.removeLast() }
            way = .alertmanager(url: url)
        case "mail":
            guard more.isEmpty else {
                throw Malformed("expected nothing after the address: each address is a receiver of its own")
            }
            guard isMailAddress(address) else { throw Malformed("expected an address of mail, as name@example.org") }
            way = .mail(address: address)
        default: throw Malformed("expected webhook, alertmanager, alertmanager-webhook or mail after the name")
        }
        return Receiver(name: name, way: way)
    }

    private static func isName(_ text: Substring) -> Bool {
        (1...50).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
    }

    /// The text is not shown: a part of it may be a secret.
    private static func url(_ text: String) throws(Malformed) -> String {
        guard let address = Address(text), ["http", "https"].contains(address.scheme) else {
            throw Malformed("expected a URL that begins with https:// or http://, without a user's name")
        }
        return text
    }

    private static func key(_ words: ArraySlice<Substring>) throws(Malformed) -> [UInt8]? {
        guard let word = words.first else { return nil }
        let prefix = "secret=whsec_"
        guard words.count == 1, word.hasPrefix(prefix),
            let key = Data(base64Encoded: String(word.dropFirst(prefix.count))), (24...64).contains(key.count)
        else { throw Malformed("expected secret=whsec_ and 24 to 64 bytes as base64, and nothing else") }
        return Array(key)
    }

    // MARK: - Routes

    private static func route(_ words: [Substring]) throws(Malformed) -> Route {
        guard let name = words.first, isName(name) else { throw Malformed("expected the name of a receiver") }
        var route = Route(receiver: String(name))
        var seen: Set<Substring> = []
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, seen.insert(parts[0]).inserted else {
                throw Malformed("\(escapingControls(String(word))): expected NAME=VALUE, each name once")
            }
            try set(parts[0], parts[1], of: &route)
        }
        return route
    }

    private static func set(_ name: Substring, _ value: Substring, of route: inout Route) throws(Malformed) {
        switch name {
        case "severity":
            route.severity = try one(of: Severity.allCases.map { ($0.name, $0) }, value)
        case "kind":
            let kinds = EpisodeKind.allCases.map { (String($0.name.map { $0 == " " ? "_" : $0 }), $0) }
            route.kinds = Set(try list(value) { part throws(Malformed) in try one(of: kinds, part) })
        case "event":
            let events = EpisodeEvent.Event.recorded.map { ($0.rawValue, $0) }
            route.events = Set(try list(value) { part throws(Malformed) in try one(of: events, part) })
        case "group":
            route.groups = Set(
                try list(value) { part throws(Malformed) -> String in
                    guard let bytes = unescapingPercents(part), let group = String(validating: bytes, as: UTF8.self),
                        !group.isEmpty, !group.contains(",")
                    else {
                        throw Malformed("\(escapingControls(String(part))): expected the name of a group")
                    }
                    return group
                })
        case "quiet": route.quiet = try QuietHours(value)
        default:
            throw Malformed(
                "\(escapingControls(String(name))): expected severity=, kind=, group=, event= or quiet=")
        }
    }

    private static func list<Element>(
        _ text: Substring, _ element: (Substring) throws(Malformed) -> Element
    ) throws(Malformed) -> [Element] {
        var elements: [Element] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) { elements.append(try element(part)) }
        return elements
    }

    private static func one<Element>(of known: [(String, Element)], _ text: Substring) throws(Malformed) -> Element {
        guard let found = known.first(where: { $0.0 == text }) else {
            let names = known.map(\.0).joined(separator: ", ")
            throw Malformed("\(escapingControls(String(text))): expected one of \(names)")
        }
        return found.1
    }
}
