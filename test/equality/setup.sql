-- What random queries are made over: three schemas, each with a difficulty
-- of its own.  Numbers are integers and numerics, so that sums do not depend
-- on the order of addition.  queries.py knows these tables by name.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS star, part, odd CASCADE;

-- ---- star: a fact table with skew, and its dimensions -----------------------
CREATE SCHEMA star;
SET search_path = star;
CREATE TABLE cust (id int PRIMARY KEY, region int, kind text, credit numeric);
INSERT INTO cust SELECT i, CASE WHEN i % 3 = 0 THEN 1 ELSE i % 11 END,
    'k' || i % 7, (i % 50) * 2.5 FROM generate_series(1, 1500) i;
CREATE TABLE prod (id int PRIMARY KEY, grp int, name text, price numeric);
INSERT INTO prod SELECT i, i % 13, 'p' || i % 101, i * 0.25
    FROM generate_series(1, 400) i;
CREATE TABLE store (id int PRIMARY KEY, region int, open date);
INSERT INTO store SELECT i, i % 11, date '2020-01-01' + i
    FROM generate_series(1, 40) i;
-- a third of all sales is of one customer, columns depend on each other
CREATE TABLE sale (id int PRIMARY KEY, cust int REFERENCES cust,
    prod int REFERENCES prod, store int, day date, qty int, amount numeric,
    note text);
INSERT INTO sale SELECT i, CASE WHEN i % 3 = 0 THEN 7 ELSE 1 + i * 31 % 1500 END,
    1 + i * 17 % 400, CASE WHEN i % 19 = 0 THEN NULL ELSE 1 + i % 40 END,
    date '2021-01-01' + i % 365, i % 10, i % 10 * 2.5,
    CASE WHEN i % 5 = 0 THEN NULL ELSE 'n' || i % 10 END
    FROM generate_series(1, 8000) i;
CREATE INDEX ON sale (cust);
CREATE INDEX ON sale (prod, day);
CREATE INDEX ON sale USING brin (id);
CREATE INDEX ON sale (day) INCLUDE (qty);
CREATE INDEX ON cust (region);
CREATE STATISTICS sale_st (mcv, dependencies, ndistinct) ON qty, amount, note FROM sale;
CREATE VIEW sales_by_cust AS
    SELECT cust, count(*) AS n, sum(amount) AS total, max(day) AS last
    FROM sale GROUP BY cust;

-- ---- part: partitions by range, list and hash, one of them partitioned -------
CREATE SCHEMA part;
SET search_path = part;
CREATE TABLE ev (id int, k int, v int, at date) PARTITION BY RANGE (k);
CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM (0) TO (100);
CREATE TABLE ev2 PARTITION OF ev FOR VALUES FROM (100) TO (300) PARTITION BY LIST (v);
CREATE TABLE ev2a PARTITION OF ev2 FOR VALUES IN (0, 1, 2);
CREATE TABLE ev2b PARTITION OF ev2 DEFAULT;
CREATE TABLE ev3 PARTITION OF ev FOR VALUES FROM (300) TO (1000);
CREATE TABLE ev_rest PARTITION OF ev DEFAULT;
INSERT INTO ev SELECT i, CASE WHEN i % 4 = 0 THEN 42 ELSE i * 7 % 1100 END, i % 9,
    date '2021-01-01' + i % 200 FROM generate_series(1, 3000) i;
INSERT INTO ev SELECT i, NULL, i % 9, NULL FROM generate_series(3001, 3040) i;
CREATE INDEX ON ev (k);
CREATE INDEX ON ev (v, at);
CREATE TABLE pair (id int, k int, w int) PARTITION BY RANGE (k);
CREATE TABLE pair1 PARTITION OF pair FOR VALUES FROM (0) TO (100);
CREATE TABLE pair2 PARTITION OF pair FOR VALUES FROM (100) TO (300);
CREATE TABLE pair3 PARTITION OF pair FOR VALUES FROM (300) TO (1000);
CREATE TABLE pair_rest PARTITION OF pair DEFAULT;
INSERT INTO pair SELECT i, i % 1100, i % 5 FROM generate_series(1, 1500) i;
CREATE INDEX ON pair (k);
CREATE TABLE acct (id int PRIMARY KEY, owner text, bal numeric) PARTITION BY HASH (id);
CREATE TABLE acct0 PARTITION OF acct FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE acct1 PARTITION OF acct FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE acct2 PARTITION OF acct FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO acct SELECT i, 'o' || i % 30, i % 100 - 20.5 FROM generate_series(1, 1100) i;
CREATE TABLE par (id int, x int);
CREATE TABLE chi () INHERITS (par);
INSERT INTO par SELECT i, i % 10 FROM generate_series(1, 300) i;
INSERT INTO chi SELECT i, i % 10 FROM generate_series(301, 1200) i;
CREATE INDEX ON chi (x);

-- ---- odd: nulls, duplicates, nothing at all, and other kinds of index --------
CREATE SCHEMA odd;
SET search_path = odd;
CREATE TABLE dup (a int, b int, c text, d numeric);
INSERT INTO dup SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE i % 40 END, i % 4,
    CASE WHEN i % 7 = 0 THEN NULL ELSE 'c' || i % 12 END, i % 6 * 1.10
    FROM generate_series(1, 2000) i;
CREATE INDEX ON dup (a) WHERE b = 1;
CREATE INDEX ON dup ((a + b));
CREATE INDEX ON dup USING hash (c);
CREATE TABLE none (a int, b int, c text);
CREATE INDEX ON none (a);
CREATE TABLE one (a int, b text);
INSERT INTO one VALUES (7, 'c7');
CREATE TABLE bag (id int PRIMARY KEY, tags int[], span int4range, j jsonb);
INSERT INTO bag SELECT i, ARRAY[i % 10, i % 17, 99], int4range(i % 300, i % 300 + i % 20),
    jsonb_build_object('a', i % 8, 'b', 'x' || i % 3) FROM generate_series(1, 1000) i;
CREATE INDEX ON bag USING gin (tags);
CREATE INDEX ON bag USING gist (span);
CREATE INDEX ON bag USING gin (j);
CREATE TABLE node (id int PRIMARY KEY, parent int, lbl text);
INSERT INTO node SELECT i, NULLIF(i / 3, 0), 'l' || i % 9 FROM generate_series(1, 900) i;
CREATE INDEX ON node (parent);
-- written to since it was analyzed: the estimates are wrong
CREATE TABLE stale (id int, g int, x int) WITH (autovacuum_enabled = off);
INSERT INTO stale SELECT i, i % 5, i FROM generate_series(1, 100) i;

CREATE FUNCTION twice(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS
    'BEGIN RETURN $1 * 2; END';
CREATE FUNCTION regions(bigint) RETURNS bigint STABLE LANGUAGE plpgsql AS
    'BEGIN RETURN (SELECT count(*) FROM star.cust c WHERE c.region = $1); END';
CREATE FUNCTION upto(bigint) RETURNS SETOF bigint STABLE LANGUAGE sql AS
    'SELECT generate_series(1, $1 % 10)';
ANALYZE;
INSERT INTO stale SELECT i, CASE WHEN i % 2 = 0 THEN 3 ELSE i % 50 END, i
    FROM generate_series(101, 4000) i;
CREATE INDEX ON stale (g);
RESET search_path;
