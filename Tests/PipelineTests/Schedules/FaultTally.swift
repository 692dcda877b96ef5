/// How many faults have really come about.
struct FaultTally: CustomStringConvertible {
    var kills = 0
    /// While some consumer had a transaction open.
    var killsInTransactions = 0
    var restarts = 0
    /// Consumers that were asked to end.
    var stops = 0
    /// Consumers that were stopped by SIGSTOP for a while.
    var freezes = 0
    /// How often the group was assigned, by the brokers' own count.
    var generations = 0
    var brokerFaults = 0
    var clocks = 0
    /// Those that the server has seen.
    var fullDisks = 0
    var maintenances = 0
    /// Messages that readers may get, and those that are stored.
    var published = 0
    var stored = 0

    var description: String {
        """
        \(kills) SIGKILLs (\(killsInTransactions) of them in transactions), \(restarts) restarts of PostgreSQL, \
        \(stops + freezes) rebalances (the group was assigned \(generations) times), \(brokerFaults) faults of brokers, \
        \(clocks) clocks set, \(fullDisks) full disks, \(maintenances) maintenances; \
        \(published) messages published, \(stored) stored
        """
    }
}
