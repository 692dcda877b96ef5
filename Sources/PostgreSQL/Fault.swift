/// What is at fault when a statement fails, and so what helps.
public enum Fault: Sendable, CaseIterable {
    /// The state of the server, of the network or of other sessions: the same statement can succeed later.
    case passing
    /// The rows that were sent: the same rows fail again, others need not.
    case data
    /// The schema, a right or the server itself: every statement of the kind fails until a person changes that.
    case lasting
}

extension SQLState {
    /// What is at fault by the code, as the manual's appendix "PostgreSQL Error Codes" has them.
    ///
    /// A passing error must never cost a message, so what is not known for certain is not the data's fault, with one
    /// exception: a code that is in no table is one that somebody's trigger raises (`RAISE ... USING ERRCODE`).
    public var fault: Fault {
        if let fault = Self.faults[rawValue] { return fault }
        return Self.faults[String(rawValue.prefix(2))] ?? .data
    }

    /// By class, and by code where a code differs from its class.
    private static let faults: [String: Fault] = [
        // Not errors, or those of drivers and of embedded SQL.
        "00": .passing, "01": .passing, "02": .passing, "03": .lasting, "07": .lasting,
        // The connection; also everything that PgBouncer says itself (08P01).
        "08": .passing,
        // A trigger's action; a feature that the server does not have, as COPY to a table with row-level security.
        "09": .data, "0A": .lasting,
        // Transactions that cannot begin, locators, grantors, roles.
        "0B": .passing, "0F": .lasting, "0L": .lasting, "0P": .lasting, "0Z": .data,
        // What functions of triggers run into: CASE without a match, a subquery with two rows.
        "20": .data, "21": .data,
        // A value that does not fit, a constraint that refuses it.
        "22": .data, "23": .data,
        // Rows are sent as the schema has them: a column was added that must not be null, or has another type now.
        "23502": .lasting, "22P03": .lasting,
        // Cursors; the state of the transaction, as read-only (25006: a standby that is not promoted yet).
        "24": .passing, "25": .passing, "26": .passing, "27": .data,
        // Logins: passwords and pg_hba.conf are changed while daemons run.
        "28": .passing,
        "2B": .lasting, "2D": .lasting, "2F": .data, "34": .passing, "38": .data, "39": .lasting, "3B": .lasting,
        // A database that is not there may be restored right now; a schema that is not there is another matter.
        "3D": .passing, "3F": .lasting,
        // Serialization, deadlocks, a COMMIT whose end is not known.
        "40": .passing,
        // Missing columns, tables, functions and rights.
        "42": .lasting,
        // A view's WITH CHECK OPTION.
        "44": .data,
        // Full disk, memory, too many connections.
        "53": .passing,
        // A row that an index cannot hold (54000). A server that is out of transaction ids has the same code; it takes no
        // rejected message either, so nothing is rejected for it.
        "54": .data,
        // Locks, objects in use; but something that cannot be written to as it is stays so.
        "55": .passing, "55000": .lasting,
        // Canceled, shut down, starting up.
        "57": .passing,
        // The server's disk and files; a snapshot that is too old.
        "58": .passing, "72": .passing,
        "F0": .passing, "HV": .passing,
        // A fence of ours: others have written meanwhile.
        "HB": .passing,
        // RAISE EXCEPTION in a trigger.
        "P0": .data,
        // Internal errors and damaged files: nobody knows whether they pass.
        "XX": .lasting,
    ]
}
