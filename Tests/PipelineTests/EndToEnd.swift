import Harness
import Testing

/// The tests of the whole: the program itself, a real PostgreSQL, and a broker that speaks Kafka's protocol.
///
/// One at a time, since each loads the machine.
@Suite(.serialized, .privatePostgreSQL, .ownFolder, .logsOnFailure)
enum EndToEnd {}
