import HeartRate
import Simulation
import Testing

/// Whatever comes, in whatever order: the rules that every table of episodes relies on hold.
@Suite("Detector, random sequences") struct DetectorRandomTests {
    #if DEBUG
        /// A debug build is some fifty times slower than release, which takes a million.
        static let sequences = 20_000
    #else
        static let sequences = 1_000_000
    #endif

    @Test("no sequence breaks an episode, and a checkpoint changes nothing", arguments: 0..<4)
    func sequences(part: Int) throws {
        var totals = EpisodeKind.allCases.map { _ in 0 }
        var random = SplitMix64(seed: UInt64(part), stream: 77)
        for number in 0..<Self.sequences / 4 {
            var sequence = Sequence(&random)
            sequence.run(&random)
            if let fault = sequence.fault {
                Issue.record("part \(part), sequence \(number): \(fault)")
                return
            }
            for kind in EpisodeKind.allCases { totals[Int(kind.rawValue)] += sequence.opened[Int(kind.rawValue)] }
        }
        // A test of episodes that saw none would show nothing.
        // A trend needs days: it has tests of its own.
        for kind in EpisodeKind.allCases where kind != .trend {
            #expect(totals[Int(kind.rawValue)] > 0, "episodes of \(kind): \(totals)")
        }
        print("random sequences, part \(part): \(Self.sequences / 4) with episodes of each kind: \(totals)")
    }

    /// One course of readings, judged twice: by a detector, and by one that is saved and read again now and then.
    struct Sequence {
        private var detector = Detector()
        private var twin = Detector()
        private var rules = EpisodeRules()
        private var limits = CustomerLimits()
        private var step: Int64
        private var time: Int64
        private var rate = 70
        private var isFlat = false
        private var isUnstorable = false
        /// Whether a clock was set back since an episode of the kind.
        private var isRestarted = [Bool](repeating: false, count: EpisodeKind.allCases.count)
        private(set) var fault: String?
        private(set) var opened = EpisodeKind.allCases.map { _ in 0 }

        private var told: [Told] = []
        private var toldByTwin: [Told] = []
        private var open: [Episode?] = EpisodeKind.allCases.map { _ in nil }
        private var last: [Episode?] = EpisodeKind.allCases.map { _ in nil }

        /// All that an `Instant` can be, but for the last year: what would begin after the end of time cannot be told.
        private static let times =
            Instant.earliest.microsecondsSince1970...Instant.latest.microsecondsSince1970 - 31_000_000_000_000

        private struct Told: Equatable {
            var episode: Episode
            var change: EpisodeChange
        }

        init(_ random: inout SplitMix64) {
            step = [300_000, 1_000_000, 1_000_000, 7_000_000, 60_000_000, 20_000].randomElement(using: &random)!
            time = Int64.random(in: -10...10, using: &random) * 6_000_000_000_000_000
            rules.lowestScore = [2, 3, nil].randomElement(using: &random)!
            rules.closingTime = .seconds([120, 5, 60].randomElement(using: &random)!)
            rules.easingTime = .seconds([900, 5, 60].randomElement(using: &random)!)
            rules.lateness = .seconds([0, 0, 3, 60].randomElement(using: &random)!)
            rules.delayReadings = [3, 1, 7].randomElement(using: &random)!
            rules.window = .seconds([10, 1, 60].randomElement(using: &random)!)
            rules.margin = [5, 0].randomElement(using: &random)!
            rules.baselineWindow = .hours(1)
            rules.deviationDelay = .minutes([30, 2].randomElement(using: &random)!)
            rules.flatTime = .minutes([10, 1].randomElement(using: &random)!)
            rules.flatReadings = [60, 5].randomElement(using: &random)!
            limits.isContinuous = Bool.random(using: &random)
            if Bool.random(using: &random) {
                limits.heartRateMin = [30, 55, 299].randomElement(using: &random)
                limits.heartRateMax = [1, 120, 200].randomElement(using: &random)
            }
        }

        mutating func run(_ random: inout SplitMix64) {
            // Longer ones learn a baseline.
            let count = step == 60_000_000 ? 150 : Int.random(in: 1...90, using: &random)
            for _ in 0..<count where fault == nil {
                move(&random)
                let chance = Int.random(in: 0..<40, using: &random)
                if chance == 0 { silence(&random) }
                if chance == 1 { save() }
                if chance == 2 { isFlat.toggle() }
                if chance == 3 { isUnstorable.toggle() }
                if isUnstorable, Bool.random(using: &random) { takeUnstorable(&random) } else { take(&random) }
            }
            compare()
            compareStates()
        }

        private mutating func move(_ random: inout SplitMix64) {
            switch Int.random(in: 0..<50, using: &random) {
            case 0: time -= Int64.random(in: 0...100_000_000, using: &random)
            case 1: time += Int64.random(in: 0...4_000_000_000, using: &random)
            case 2: time += Int64.random(in: 0...40_000_000, using: &random)
            case 3: break
            case 4: time += 1
            case 5: time = Int64.random(in: Self.times, using: &random)
            case 6, 7: time -= step
            default: time = time &+ Int64.random(in: step - step / 8...step + step / 8, using: &random)
            }
            let target = [20, 38, 41, 50, 70, 100, 120, 140, 178, 185, 230].randomElement(using: &random)!
            if Int.random(in: 0..<15, using: &random) == 0 { rate = target }
        }

        private mutating func take(_ random: inout SplitMix64) {
            let noise = Int.random(in: 0..<12, using: &random) == 0 ? Int.random(in: 1...299, using: &random) : nil
            let bpm = Int16(isFlat ? 72 : noise ?? rate + Int.random(in: -2...2, using: &random))
            let activity =
                Int.random(in: 0..<3, using: &random) == 0 ? Activity.allCases.randomElement(using: &random) : nil
            let instant = Instant(microsecondsSince1970: time)
            time = instant.microsecondsSince1970
            let sample = Sample(bpm, at: instant, activity: activity)
            let (rules, limits) = (rules, limits)
            let judgement = detector.take(sample, rules: rules, limits: limits) {
                told.append(Told(episode: $0, change: $1))
            }
            let second = twin.take(sample, rules: rules, limits: limits) {
                toldByTwin.append(Told(episode: $0, change: $1))
            }
            if judgement != second { fault = "judged \(judgement), after a checkpoint \(second)" }
            check()
            if judgement == .restarted { for kind in isRestarted.indices { isRestarted[kind] = true } }
        }

        private mutating func takeUnstorable(_ random: inout SplitMix64) {
            let (rules, limits, isZero) = (rules, limits, Bool.random(using: &random))
            let instant = Instant(microsecondsSince1970: time)
            detector.takeUnstorable(isZero: isZero, at: instant, rules: rules, limits: limits) {
                told.append(Told(episode: $0, change: $1))
            }
            twin.takeUnstorable(isZero: isZero, at: instant, rules: rules, limits: limits) {
                toldByTwin.append(Told(episode: $0, change: $1))
            }
            check()
        }

        private mutating func silence(_ random: inout SplitMix64) {
            let (rules, limits) = (rules, limits)
            let limit = detector.silenceLimit(rules, limits)
            if limit != twin.silenceLimit(rules, limits) { fault = "another limit of silence after a checkpoint" }
            let silent =
                Bool.random(using: &random)
                ? limit ?? .seconds(0) : Microseconds(.random(in: 0...400_000_000, using: &random))
            let count = told.count
            detector.signalLost(for: silent, rules: rules, limits: limits) {
                told.append(Told(episode: $0, change: $1))
            }
            twin.signalLost(for: silent, rules: rules, limits: limits) {
                toldByTwin.append(Told(episode: $0, change: $1))
            }
            if silent == limit, rules.lateness == .seconds(0), told.count == count {
                fault = "nothing at the limit of silence"
            }
            check()
        }

        private mutating func save() {
            var bytes: [UInt8] = [1, 2, 3]
            twin.writeCheckpoint(to: &bytes)
            guard let read = Detector(checkpoint: Array(bytes.dropFirst(3))) else {
                fault = "checkpoint not read"
                return
            }
            twin = read
            compareStates()
        }

        private mutating func compareStates() {
            var one: [UInt8] = []
            var other: [UInt8] = []
            detector.writeCheckpoint(to: &one)
            twin.writeCheckpoint(to: &other)
            if one != other { fault = "another state after a checkpoint: \(detector) and \(twin)" }
            if detector.lastReadingAt != twin.lastReadingAt { fault = "another last reading after a checkpoint" }
        }

        private mutating func compare() {
            if told != toldByTwin { fault = "told \(told), after a checkpoint \(toldByTwin)" }
        }

        /// Looks at what was told since the last time.
        private mutating func check() {
            compare()
            for one in told { check(one.episode, one.change) }
            told.removeAll()
            toldByTwin.removeAll()
            var count = 0
            detector.openEpisodes { episode in
                count += 1
                if open[Int(episode.kind.rawValue)]?.openedAt != episode.openedAt {
                    fault = "open, but not told: \(episode)"
                }
            }
            if count != open.count(where: { $0 != nil }) { fault = "told, but not open: \(open)" }
        }

        private mutating func check(_ episode: Episode, _ change: EpisodeChange) {
            let kind = Int(episode.kind.rawValue)
            let isNew = change == .opened
            if isNew != (open[kind] == nil) { fault = "\(change) while open is \(open)" }
            if isNew {
                opened[kind] += 1
                if let last = last[kind], episode.openedAt <= last.openedAt, !isRestarted[kind] {
                    fault = "\(episode) after \(last)"
                }
            } else if let open = open[kind] {
                if (open.openedAt, open.raisedAt) != (episode.openedAt, episode.raisedAt) {
                    fault = "\(open) became \(episode)"
                }
                if episode.worstSeverity < open.worstSeverity { fault = "\(open) became \(episode)" }
                if change == .escalated, episode.severity <= open.severity { fault = "escalated \(open) to \(episode)" }
                if change == .eased, episode.severity >= open.severity { fault = "eased \(open) to \(episode)" }
            }
            if let last = last[kind], isNew, !episode.kind.isTechnical, !isRestarted[kind], let closed = last.closedAt,
                closed > episode.openedAt
            {
                fault = "\(episode) began before the end of \(last)"
            }
            let isWithoutRate = [.signalLoss, .zeroRate, .notWorn].contains(episode.kind)
            let reason = episode.reason.utf8
            let isSound =
                episode.raisedAt >= episode.openedAt && episode.worstSeverity >= episode.severity
                && (change == .closed) == (episode.closedAt != nil) && (episode.closedAt ?? .latest) >= episode.openedAt
                && (isWithoutRate ? episode.readings == 0 : episode.readings > 0)
                && (isWithoutRate ? episode.lastSeenAt <= episode.openedAt : episode.lastSeenAt >= episode.openedAt)
                && (episode.kind.isTechnical == (episode.extremeHeartRate == nil)) && reason.count <= 100
                && (episode.kind != .notWorn || episode.severity == .low)
                && reason.allSatisfy { (32..<127).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
            if !isSound { fault = "\(change) \(episode)" }
            open[kind] = change == .closed ? nil : episode
            last[kind] = episode
            if isNew { isRestarted[kind] = false }
        }
    }
}
