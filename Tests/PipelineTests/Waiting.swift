import Harness
import Testing

/// The tests of the whole that mostly wait, for what a client notices only after some seconds.
///
/// A few at a time, and `packaging/test` runs them beside all others. So none of them stops the database's server.
@Suite(.atMost(4), .privatePostgreSQL, .ownFolder, .logsOnFailure)
enum Waiting {}
