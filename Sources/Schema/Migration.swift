/// One numbered step of the schema, from a file in `db/`.
public struct Migration: Sendable {
    /// 1 for the first.
    public let number: Int
    /// The file's name without its number.
    public let name: String
    /// The file's text: several statements.
    public let sql: String

    /// All steps in their order. The files are part of the program, so that the two cannot drift apart.
    public static let all: [Migration] = [
        Migration(number: 1, name: "tables", PackageResources._001_tables_sql),
        Migration(number: 2, name: "functions", PackageResources._002_functions_sql),
        Migration(number: 3, name: "rights", PackageResources._003_rights_sql),
        Migration(number: 4, name: "maintenance", PackageResources._004_maintenance_sql),
        Migration(number: 5, name: "episodes", PackageResources._005_episodes_sql),
        Migration(number: 6, name: "log_identity", PackageResources._006_log_identity_sql),
        Migration(number: 7, name: "partition_bounds", PackageResources._007_partition_bounds_sql),
        Migration(number: 8, name: "acknowledgements", PackageResources._008_acknowledgements_sql),
        Migration(number: 9, name: "sealed_days", PackageResources._009_sealed_days_sql),
        Migration(number: 10, name: "episode_changes", PackageResources._010_episode_changes_sql),
        Migration(number: 11, name: "technical_episodes", PackageResources._011_technical_episodes_sql),
        Migration(number: 12, name: "care", PackageResources._012_care_sql),
        Migration(number: 13, name: "repeated_readings", PackageResources._013_repeated_readings_sql),
        Migration(number: 14, name: "cheaper_writes", PackageResources._014_cheaper_writes_sql),
        Migration(number: 15, name: "notifications", PackageResources._015_notifications_sql),
        Migration(number: 16, name: "activity", PackageResources._016_activity_sql),
        Migration(number: 17, name: "customer_rollups", PackageResources._017_customer_rollups_sql),
        Migration(number: 18, name: "test_messages", PackageResources._018_test_messages_sql),
        Migration(number: 19, name: "rollup_checks", PackageResources._019_rollup_checks_sql),
        Migration(number: 20, name: "seal_checks", PackageResources._020_seal_checks_sql),
    ]

    private init(number: Int, name: String, _ sql: [UInt8]) {
        self.number = number
        self.name = name
        self.sql = String(decoding: sql, as: UTF8.self)
    }
}
