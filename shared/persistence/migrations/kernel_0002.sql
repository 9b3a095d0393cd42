ALTER TABLE topology_check ADD COLUMN owed_since TIMESTAMP WITH TIME ZONE;
COMMENT ON COLUMN topology_check.owed_since IS 'the queue is mended, but its producers were not asked yet';
