-- What "heartbeat database maintain" needs, and what remains of the messages whose rows retention has dropped.

-- Days that retention has taken out of heart_rate_readings, as children of this table, until their rows are accounted for
-- and dropped. Nobody writes to them any more, so what is counted stays counted. Nearly always there is none.
CREATE TABLE heart_rate_readings_retired (LIKE heart_rate_readings);

-- Which offsets of a source were stored once and are dropped, as ranges: what is left of the rows for "heartbeat verify".
-- Moved in the transaction that drops the rows. A range ends at a message that is kept or was dropped as the other kind
-- later, so that rows that grow old together become one range again.
CREATE TABLE retired_offsets (
    source_id  integer        PRIMARY KEY,
    readings   bigint         NOT NULL DEFAULT 0,
    rejected   bigint         NOT NULL DEFAULT 0,
    offsets    int8multirange NOT NULL DEFAULT '{}',
    updated_at timestamptz    NOT NULL DEFAULT now()
);

GRANT SELECT ON heart_rate_readings_retired, retired_offsets TO "heartbeat-consumer", "heartbeat-dashboard";
