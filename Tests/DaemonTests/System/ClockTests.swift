import Foundation
import Synchronization
import Testing

@testable import Daemon

@Suite struct ClockTests {
    @Test("the wall clock counts microseconds since 1970")
    func microseconds() {
        let before = Date.now.timeIntervalSince1970
        let time = Double(wallClockMicroseconds()) / 1e6
        let after = Date.now.timeIntervalSince1970
        #expect(before - 1 <= time && time <= after + 1)
        let coarse = Double(coarseWallClockMicroseconds()) / 1e6
        #expect(time - 1 <= coarse && coarse <= time + 1)
    }
}
