/// What the doctor looks at, in its order.
public enum Area: String, CaseIterable, Sendable {
    /// The settings files.
    case settings
    /// Rights and owners of files.
    case files
    /// This program, systemd and the libraries.
    case versions
    /// systemd's units.
    case units
    /// The brokers and the topic.
    case kafka
    /// The server and the database.
    case postgresql
    /// The disk that PostgreSQL has its data on.
    case disk
    /// The clock.
    case clock
}
