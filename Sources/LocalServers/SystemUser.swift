public import Glibc

/// A user of this machine.
public struct SystemUser: Sendable {
    /// The name.
    public let name: String
    /// The number.
    public let id: uid_t
    /// The number of the user's own group.
    public let group: gid_t

    /// The user of that name, if there is one.
    public init?(named name: String) {
        guard let entry = unsafe getpwnam(name) else { return nil }
        self.name = name
        id = unsafe entry.pointee.pw_uid
        group = unsafe entry.pointee.pw_gid
    }

    /// Who runs a server when root wants one, since PostgreSQL refuses to run as root: postgres, else nobody.
    public static var forServers: SystemUser? { SystemUser(named: "postgres") ?? SystemUser(named: "nobody") }
}
