extension Snapshot.People {
    /// - Parameter people: those with something open or unseen, the most urgent first.
    init(_ people: [CustomerTable.Customer], at now: Int64) {
        for customer in people {
            switch customer.standing.section {
            case .now: count(customer.standing)
            case .eased: counts.eased += 1
            case .watched: counts.watched += 1
            case nil: break
            }
        }
        listed = people.prefix(Self.mostListed).map { CustomerItem($0, at: now) }
        more = people.dropFirst(Self.mostListed).prefix(Self.mostChips).map { customer in
            Snapshot.Chip(
                customerId: customer.row.id, heartRate: customer.row.heartRate, status: customer.standing.status,
                section: customer.standing.section)
        }
    }

    private mutating func count(_ standing: Standing) {
        counts.now += 1
        let alarmedAt = Moment(microseconds: standing.urgency.alarmedAt)
        if standing.urgency.severity == 0 {
            now.high += 1
            latestHighAt = later(latestHighAt, alarmedAt)
        } else {
            now.medium += 1
            latestMediumAt = later(latestMediumAt, alarmedAt)
        }
    }

    private func later(_ one: Moment?, _ other: Moment) -> Moment {
        (one?.microseconds ?? .min) > other.microseconds ? one ?? other : other
    }
}
