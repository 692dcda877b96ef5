import Testing

@testable import Doctor

@Suite("What the doctor says") struct DiagnosisTests {
    private static let checks = [
        Check.ok("a.one", "fine"), .skipped("a.two", "unknown"), .warning("bb.three", "odd", remedy: "look"),
        .error("c", "broken", remedy: "repair"),
    ]

    @Test("a line for each check, the remedy below it, and the sum")
    func text() {
        #expect(
            Diagnosis(Self.checks).text() == """
                ok       a.one     fine
                skipped  a.two     unknown
                warning  bb.three  odd
                         -> look
                error    c         broken
                         -> repair
                1 error, 1 warning
                """)
    }

    @Test("briefly: only what somebody should do something about, and nothing when there is nothing")
    func brief() {
        #expect(
            Diagnosis(Self.checks).text(isBrief: true) == """
                warning  bb.three  odd
                         -> look
                error    c         broken
                         -> repair
                1 error, 1 warning
                """)
        #expect(Diagnosis(Array(Self.checks.prefix(2))).text(isBrief: true).isEmpty)
        #expect(Diagnosis(Array(Self.checks.prefix(2))).text().hasSuffix("\nnothing is wrong"))
    }

    @Test("colours stand beside the words that say the same")
    func colours() {
        let text = Diagnosis(Self.checks).text(isColoured: true)
        #expect(text.contains("\u{1b}[31merror  \u{1b}[0m  c"))
        #expect(text.contains("\u{1b}[33mwarning\u{1b}[0m  bb.three"))
    }

    @Test("the status is 0, 1 for warnings, 2 for errors; what is skipped does not count", arguments: 0...4)
    func status(count: Int) {
        #expect(Diagnosis(Array(Self.checks.prefix(count))).status == [0, 0, 0, 1, 2][count])
    }

    @Test("verdicts are ordered by how bad they are")
    func order() {
        #expect(Check.Verdict.allCases.sorted() == [.ok, .skipped, .warning, .error])
    }
}
