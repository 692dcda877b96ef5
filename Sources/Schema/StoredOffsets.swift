public import PostgreSQL

extension PostgreSQLConnection {
    /// The next offset of every partition of a topic, of its latest incarnation, by the partition's number.
    ///
    /// - Throws: `PostgreSQLError`.
    public func storedOffsets(ofTopic topic: String, inCluster cluster: String) throws(PostgreSQLError) -> [Int32:
        Int64]
    {
        let rows = try query(
            """
            SELECT DISTINCT ON (partition) partition, next_offset FROM kafka_offsets
             WHERE cluster_id = $1 AND topic = $2 ORDER BY partition, incarnation DESC
            """, [cluster, topic], unableTo: "read the stored offsets")
        return Dictionary(
            uniqueKeysWithValues: try rows.map { row throws(PostgreSQLError) -> (Int32, Int64) in
                (try row["partition"], try row["next_offset"])
            })
    }
}
