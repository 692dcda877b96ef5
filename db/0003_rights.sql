-- Exactly what each daemon's role uses. The roles themselves are made by "heartbeat database setup".

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO "heartbeat-consumer", "heartbeat-dashboard";

GRANT SELECT, INSERT ON customers, heart_rate_readings, offset_gaps, rejected_messages TO "heartbeat-consumer";
GRANT SELECT, INSERT, UPDATE (next_offset, readings, anomalies, rejected, updated_at)
   ON kafka_offsets TO "heartbeat-consumer";
GRANT SELECT, INSERT, UPDATE ON pipeline_log, customer_state, readings_per_minute TO "heartbeat-consumer";
GRANT UPDATE (replayed_at) ON rejected_messages TO "heartbeat-consumer";
GRANT SELECT ON schema_version TO "heartbeat-consumer";
GRANT EXECUTE ON FUNCTION create_readings_partition(date) TO "heartbeat-consumer";

GRANT SELECT ON ALL TABLES IN SCHEMA public TO "heartbeat-dashboard";
