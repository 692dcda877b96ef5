-- What is the matter with sensors, apart from hearts; and whose readings somebody relies on.

ALTER TYPE episode_kind ADD VALUE '0 bpm reported';
ALTER TYPE episode_kind ADD VALUE 'not worn';
ALTER TYPE episode_kind ADD VALUE 'sensor stuck';
ALTER TYPE episode_kind ADD VALUE 'poor signal';

ALTER TABLE customer_limits ADD COLUMN is_continuous boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN customer_limits.is_continuous IS
    'whether somebody relies on readings that never stop: then a signal loss becomes of high severity';
