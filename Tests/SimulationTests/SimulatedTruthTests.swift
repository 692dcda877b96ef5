import HeartRate
import Testing

@testable import Simulation

private let start = Instant(microsecondsSince1970: 1_771_516_800_000_000)

/// Seconds after the start of a course.
private func second(_ number: Int) -> Instant { start.advanced(byMicroseconds: Int64(number) * 1_000_000) }

private func episode(_ kind: TrueEpisode.Kind, _ began: Int, until ended: Int) -> TrueEpisode {
    TrueEpisode(kind: kind, began: second(began), ended: second(ended))
}

/// The truth about a course, a sample each second from second 0 on.
private func truth(_ course: [(bpm: Int16, spell: Anomaly.Kind?, fault: SimulatedFault?)]) -> [TrueEpisode] {
    var truth = SimulatedTruth()
    var episodes: [TrueEpisode] = []
    for (number, moment) in course.enumerated() {
        let sample = SimulatedHeart.Sample(bpm: moment.bpm, activity: .rest, spell: moment.spell)
        truth.take(sample, fault: moment.fault, at: second(number)) { episodes.append($0) }
    }
    truth.finish { episodes.append($0) }
    return episodes
}

/// Some seconds of one rate.
private func beats(_ bpm: Int16, _ seconds: Int, spell: Anomaly.Kind? = nil, fault: SimulatedFault? = nil)
    -> [(bpm: Int16, spell: Anomaly.Kind?, fault: SimulatedFault?)]
{
    Array(repeating: (bpm, spell, fault), count: seconds)
}

@Suite("The truth about simulated customers") struct SimulatedTruthTests {
    @Test("a spell's episode is what is beyond 40 or 180, from its first sample to its last")
    func spells() {
        #expect(truth(beats(70, 100)) == [])
        let slow = beats(70, 10) + beats(41, 5, spell: .bradycardia) + beats(39, 40, spell: .bradycardia) + beats(39, 3)
        #expect(truth(slow + beats(70, 100)) == [episode(.bradycardia, 15, until: 57)])
        let fast =
            beats(150, 4, spell: .tachycardia) + beats(181, 20, spell: .tachycardia)
            + beats(180, 3, spell: .tachycardia)
        #expect(
            truth(fast + beats(200, 1, spell: .tachycardia) + beats(70, 9)) == [episode(.tachycardia, 4, until: 27)])
        // Whatever the sensor makes of it.
        let silent = beats(70, 1) + beats(35, 20, spell: .bradycardia, fault: .silent) + beats(70, 9)
        #expect(truth(silent) == [episode(.signalLoss, 0, until: 21), episode(.bradycardia, 1, until: 20)])
    }

    @Test("two spells are one when the pause between them is shorter than half a minute")
    func pauses() {
        // 28 samples between two make 29 s, 29 make 30 s.
        for (pause, expected) in [(1, 1), (28, 1), (29, 2), (60, 2)] {
            let course = beats(30, 10, spell: .bradycardia) + beats(70, pause) + beats(30, 10, spell: .bradycardia)
            #expect(truth(course).count == expected, "\(pause) samples")
        }
    }

    @Test("elevated is effort: 131 or more until it is not for a minute, and neither a spell nor what follows one")
    func elevated() {
        #expect(truth(beats(130, 200)) == [])
        #expect(truth(beats(70, 5) + beats(131, 200)) == [episode(.elevated, 5, until: 204)])
        #expect(truth(beats(140, 10) + beats(100, 58) + beats(140, 10)) == [episode(.elevated, 0, until: 77)])
        #expect(
            truth(beats(140, 10) + beats(100, 59) + beats(140, 10))
                == [episode(.elevated, 0, until: 9), episode(.elevated, 69, until: 78)])
        let spell = beats(150, 5, spell: .tachycardia) + beats(200, 50, spell: .tachycardia) + beats(150, 5)
        #expect(truth(spell + beats(70, 100)) == [episode(.tachycardia, 5, until: 54)])
        // Half a minute after a spell's last sample effort counts again.
        #expect(
            truth(beats(200, 50, spell: .tachycardia) + beats(150, 100))
                == [episode(.tachycardia, 0, until: 49), episode(.elevated, 79, until: 149)])
    }

    @Test("a signal loss lasts from the last reading before to the first after; what has no end is none")
    func signalLoss() {
        #expect(
            truth(beats(70, 5) + beats(70, 3, fault: .silent) + beats(70, 1)) == [episode(.signalLoss, 4, until: 8)])
        #expect(truth(beats(70, 5) + beats(70, 30, fault: .silent)) == [])
        #expect(truth(beats(70, 5, fault: .silent) + beats(70, 30)) == [])
        // A late reading is one, a malformed message is not; and alone neither is a silence.
        let malformed = beats(70, 2, fault: .malformed(.notJSON))
        #expect(truth(beats(70, 5) + malformed + beats(70, 5)) == [])
        #expect(truth(beats(70, 5) + beats(70, 9, fault: .late(seconds: 9))) == [])
        #expect(
            truth(beats(70, 2) + malformed + beats(70, 3, fault: .silent) + malformed + beats(70, 1))
                == [episode(.signalLoss, 1, until: 9)])
        let late = beats(70, 1) + beats(70, 3, fault: .silent) + beats(70, 1, fault: .late(seconds: 5)) + beats(70, 1)
        #expect(truth(late) == [episode(.signalLoss, 0, until: 4)])
    }

    @Test("samples that are far apart: what is true of two in a row goes on")
    func longIntervals() {
        var truth = SimulatedTruth()
        var episodes: [TrueEpisode] = []
        for (number, bpm) in [70, 30, 30, 70, 30, 70].enumerated() {
            let sample = SimulatedHeart.Sample(bpm: Int16(bpm), activity: .rest, spell: .bradycardia)
            truth.take(sample, fault: nil, at: second(number * 300)) { episodes.append($0) }
        }
        truth.finish { episodes.append($0) }
        #expect(episodes == [episode(.bradycardia, 300, until: 600), episode(.bradycardia, 1200, until: 1200)])
    }

    @Test("forty simulated hearts: every spell is there, as long as spells are, and nothing is there twice")
    func hearts() {
        let rates = SpellRates(bradycardiaPerHour: 4, tachycardiaPerHour: 4)
        var counts: [TrueEpisode.Kind: Int] = [:]
        for customer in 1...40 {
            var heart = SimulatedHeart(seed: 1, customer: customer, rates: rates)
            var sensor = SimulatedFaults(seed: 1, customer: customer)
            var truth = SimulatedTruth()
            var episodes: [TrueEpisode] = []
            var beyond = 0
            for number in 0..<4 * 3600 {
                let sample = heart.next(after: 1)
                if AnomalyRule().judge(sample.bpm) != nil { beyond += 1 }
                let fault = sensor.next(after: 1, rates: FaultRates(dropout: 0.001))
                truth.take(sample, fault: fault, at: second(number)) { episodes.append($0) }
            }
            truth.finish { episodes.append($0) }
            for kind in TrueEpisode.Kind.allCases {
                let own = episodes.filter { $0.kind == kind }
                counts[kind, default: 0] += own.count
                #expect(own.allSatisfy { $0.began <= $0.ended })
                #expect(zip(own, own.dropFirst()).allSatisfy { $0.ended <= $1.began }, "customer \(customer)")
            }
            let lasting = episodes.filter { $0.kind == .bradycardia || $0.kind == .tachycardia }
            let seconds = lasting.reduce(0) { sum, episode in
                sum + Int(episode.ended.microsecondsSince1970 - episode.began.microsecondsSince1970) / 1_000_000 + 1
            }
            // Nothing beyond is left out; what sways back at the edges is a little more.
            #expect((beyond...beyond + beyond / 20).contains(seconds), "\(beyond) s beyond, \(seconds) s in episodes")
        }
        // As many spells as the test of the hearts finds, dropouts every thousand readings.
        for kind in [TrueEpisode.Kind.bradycardia, .tachycardia] { #expect((405...685).contains(counts[kind] ?? 0)) }
        #expect((450...650).contains(counts[.signalLoss] ?? 0), "\(counts)")
        #expect((counts[.elevated] ?? 0) > 40, "\(counts)")
    }
}
