import Foundation
import HeartRate
import Testing

@testable import Notifier

@Suite struct RoutesFileTests {
    private func parse(_ text: String) -> Result<Routes, SettingsProblems> {
        do {
            return .success(try RoutesFile.parse(text, name: "FILE"))
        } catch {
            return .failure(SettingsProblems(lines: error.problems))
        }
    }

    private struct SettingsProblems: Error, Equatable {
        let lines: [String]
    }

    @Test("each way and each word of a route is understood")
    func all() throws {
        let routes = try parse(
            """
            # who
            receiver duty webhook https://pager.example:8443/hook?x=1 secret=whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz
            receiver\tam   alertmanager http://[::1]:9093/  # with a comment
            receiver v4 alertmanager-webhook http://127.0.0.1/
            receiver team mail team+night@example.org

            route duty severity=high kind=tachycardia,signal_loss group=ward%203,icu event=opened,closed
            route am
            route team severity=medium quiet=22:00-06:30@Europe/Berlin
            """
        ).get()
        #expect(
            routes.receivers == [
                Receiver(
                    name: "duty",
                    way: .webhook(
                        url: "https://pager.example:8443/hook?x=1", key: Array("012345678901234567890123".utf8))),
                Receiver(name: "am", way: .alertmanager(url: "http://[::1]:9093")),
                Receiver(name: "v4", way: .alertmanagerWebhook(url: "http://127.0.0.1/", key: nil)),
                Receiver(name: "team", way: .mail(address: "team+night@example.org")),
            ])
        var team = Route(receiver: "team", severity: .medium)
        team.quiet = QuietHours(begin: 1320, end: 390, zone: "Europe/Berlin")
        #expect(
            routes.routes == [
                Route(
                    receiver: "duty", severity: .high, kinds: [.tachycardia, .signalLoss], groups: ["ward 3", "icu"],
                    events: [.opened, .closed]),
                Route(receiver: "am"), team,
            ])
        #expect(routes.receivers.map(\.isPrivate) == [true, true, true, true])
        #expect(try parse("receiver a webhook http://192.0.2.1/").get().receivers.map(\.isPrivate) == [false])
        #expect(try parse("").get() == Routes())
    }

    /// The example of notifier.md.
    static func example() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let document = try String(contentsOf: root.appending(path: "packaging/doc/notifier.md"), encoding: .utf8)
        let parts = document.components(separatedBy: "```text\n# receiver ")
        try #require(parts.count == 2)
        return "# receiver " + parts[1].components(separatedBy: "```")[0]
    }

    @Test("the document's example is understood")
    func document() throws {
        let routes = try parse(try Self.example()).get()
        #expect(routes.receivers.map(\.name) == ["duty", "am", "chat", "team"])
        #expect(routes.routes.map(\.receiver) == ["duty", "am", "chat", "team", "team"])
    }

    @Test(
        "a mistake is told with its line",
        arguments: [
            ("recipient a mail a@b", "expected receiver or route"),
            ("receiver a", "expected receiver NAME WAY ADDRESS"),
            ("receiver a.b mail a@b", "expected a name of 1 to 50 letters"),
            ("receiver a fax 123", "expected webhook, alertmanager, alertmanager-webhook or mail"),
            ("receiver a webhook ftp://b/", "expected a URL that begins with https"),
            ("receiver a webhook https://user:password@b/", "without a user's name"),
            ("receiver a webhook https://b:0/", "expected a URL"),
            ("receiver a webhook https:///path", "expected a URL"),
            ("receiver a webhook https://b/ secret=hunter2", "expected secret=whsec_"),
            ("receiver a webhook https://b/ secret=whsec_c2hvcnQ=", "24 to 64 bytes"),
            ("receiver a alertmanager http://b/ secret=x", "expected nothing after Alertmanager's URL"),
            ("receiver a mail nobody", "expected an address of mail"),
            ("receiver a mail a@b,c@d", "expected an address of mail"),
            ("receiver a mail a@b c@d", "each address is a receiver of its own"),
            ("receiver a mail a@b\u{7f}", "expected an address of mail"),
            ("route ghost", "there is no receiver \"ghost\""),
            ("route a severity", "expected NAME=VALUE"),
            ("route a severity=low severity=high", "each name once"),
            ("route a severity=urgent", "expected one of low, medium, high"),
            ("route a kind=signal", "expected one of bradycardia"),
            ("route a kind=tachycardia,", "expected one of bradycardia"),
            ("route a event=test", "expected one of opened"),
            ("route a group=%zz", "expected the name of a group"),
            ("route a colour=red", "expected severity=, kind=, group=, event= or quiet="),
            ("route a quiet=22:00-06:00", "expected quiet hours and their zone"),
            ("route a quiet=22-6@UTC", "expected quiet hours and their zone"),
            ("route a quiet=25:00-06:00@UTC", "expected quiet hours and their zone"),
            ("route a quiet=06:00-06:00@UTC", "expected quiet hours and their zone"),
            ("route a quiet=22:00-06:00@Europe/Atlantis", "expected a time zone"),
            ("route a quiet=22:00-06:00@../../etc/passwd", "expected a time zone"),
        ])
    func mistakes(_ line: String, _ words: String) {
        guard case .failure(let error) = parse("# first\n\(line)\n") else {
            Issue.record("\(line) was taken")
            return
        }
        #expect(error.lines.count == 1)
        #expect(
            error.lines.first?.hasPrefix("FILE, line 2: ") == true && error.lines.first?.contains(words) == true,
            "\(error)")
        // A secret is never repeated.
        #expect(!error.lines.joined().contains("hunter2"))
    }

    @Test("a name is there once, and all mistakes are told")
    func several() {
        let twice = "receiver a mail a@b\nreceiver a mail c@d\nroute a x=1"
        guard case .failure(let error) = parse(twice) else {
            Issue.record("it was taken")
            return
        }
        #expect(error.lines.map { $0.prefix(12) } == ["FILE, line 2", "FILE, line 3"])
        let many = (1...21).map { "receiver r\($0) mail a@b\n" }.joined()
        #expect(throws: SettingsProblems.self) { try parse(many).get() }
    }
}
