-- Statements planned while a command is half done: nothing of ours may show
-- the command what it has written so far.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ruvector_dag;
SELECT ruvector_enable_neural_dag() \g /dev/null
SET ruvector.dag_min_cost = 0;

-- A referential integrity check while a partition is being detached, which
-- then has no parent any more but still is one
CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree)
    PARTITION BY RANGE (id);
CREATE TABLE tree1 PARTITION OF tree FOR VALUES FROM (0) TO (10);
CREATE TABLE tree2 PARTITION OF tree FOR VALUES FROM (10) TO (20)
    PARTITION BY RANGE (id);
CREATE TABLE tree21 PARTITION OF tree2 FOR VALUES FROM (10) TO (15);
INSERT INTO tree VALUES (1, NULL), (2, 1);
ALTER TABLE tree DETACH PARTITION tree2;
ALTER TABLE tree ATTACH PARTITION tree2 FOR VALUES FROM (10) TO (20);
ALTER TABLE tree DETACH PARTITION tree2;

-- A stable function sees the table as it was when the statement began
CREATE TABLE counted (i int, seen bigint);
CREATE FUNCTION so_far() RETURNS bigint STABLE LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM counted);
END $$;
INSERT INTO counted SELECT i, so_far() FROM generate_series(1, 3) i;
INSERT INTO counted SELECT i, so_far() FROM generate_series(4, 6) i;
UPDATE counted SET seen = seen + so_far();
SELECT * FROM counted ORDER BY i;

DROP TABLE counted, tree, tree2;
DROP FUNCTION so_far();
SELECT ruvector_disable_neural_dag() \g /dev/null
