import Testing

@testable import Doctor

@Suite("What is said of the clock") struct ClockChecksTests {
    @Test(
        "synchronised or not, and whose business that is",
        arguments: [
            (false, true, .ok), (false, false, .warning), (false, nil, .skipped), (true, false, .skipped),
        ] as [(Bool, Bool?, Check.Verdict)])
    func clock(isContainer: Bool, isSynchronised: Bool?, expected: Check.Verdict) {
        let clock = ClockChecks.Clock(isContainer: isContainer, isSynchronised: isSynchronised)
        #expect(ClockChecks(clock).checks.map(\.verdict) == [expected])
    }
}
