-- What the page asks: the latest closed episodes, the alarms of a day, one customer's anomalies among all the readings.
-- One entry an episode or an anomaly is little work beside what each reading takes.

DROP INDEX idx_episodes_time;
CREATE INDEX idx_episodes_time ON episodes (opened_at DESC, episode_id DESC);
CREATE INDEX idx_episodes_closed ON episodes (closed_at DESC, episode_id DESC) WHERE closed_at IS NOT NULL;
CREATE INDEX idx_episodes_alarms ON episodes (raised_at) WHERE worst_severity = 'high';
CREATE INDEX idx_heart_rate_customer_anomaly ON heart_rate_readings (customer_id, recorded_at DESC) WHERE is_anomaly;
