-- What the page asks of episodes: the latest closed ones, and the alarms of a day. Both grow by one entry an episode.

CREATE INDEX idx_episodes_closed ON episodes (closed_at DESC, episode_id DESC) WHERE closed_at IS NOT NULL;
CREATE INDEX idx_episodes_alarms ON episodes (raised_at) WHERE worst_severity = 'high';
