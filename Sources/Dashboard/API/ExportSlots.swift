internal import HTTPService
internal import HTTPTypes
internal import Synchronization

/// The slots for exports, of which a few go on at a time: each can last long.
final class ExportSlots: Sendable {
    /// A slot; it is given back when this value goes, at the latest.
    final class Slot: Sendable {
        private let slots: ExportSlots
        private let isTaken = Mutex(true)

        fileprivate init(_ slots: ExportSlots) { self.slots = slots }

        deinit { leave() }

        /// Gives it back.
        func leave() {
            let wasTaken = isTaken.withLock { isTaken in
                defer { isTaken = false }
                return isTaken
            }
            if wasTaken { slots.taken.withLock { $0 -= 1 } }
        }
    }

    private let taken = Mutex(0)
    private static let most = 4

    /// - Throws: `Problem` when there is none left.
    func take() throws(Problem) -> Slot {
        let isFree = taken.withLock { taken in
            guard taken < Self.most else { return false }
            taken += 1
            return true
        }
        guard isFree else { throw Problem.busy(.tooManyRequests, "too many exports at once", seconds: 10) }
        return Slot(self)
    }
}
