-- The data of bench/regret: small, made by arithmetic, and meant to mislead.
drop schema if exists hostile cascade;
create schema hostile;
set search_path = hostile;

-- Says it costs next to nothing, and takes about 10 microseconds: a plan that
-- filters every row looks cheap to anybody who believes in costs.
create function costly(x int) returns boolean
language plpgsql immutable strict cost 0.01 as $$
declare
    h int := x;
begin
    for i in 1 .. 40 loop
        h := (h::bigint * 48271 % 2147483647)::int;
    end loop;
    return h % 10 <> 3;
end $$;

-- Sleeps for a time drawn from Pareto's distribution (shape 1.1, cut at
-- cap ms); the median is about 1.9 scale.  Sessions that were given the same
-- seed draw alike.
create function pause(scale float8, cap float8) returns int
language plpgsql stable strict as $$
begin
    perform pg_sleep(least(scale / (1 - random()) ^ (1 / 1.1), cap) / 1000);
    return 0;
end $$;

-- a = b for most rows, which the planner takes for independent: 1 % of 1 %
create table dim (
    id int primary key, a int not null, b int not null, c int not null,
    name text not null);
insert into dim
select i, i % 20, case when i % 10 < 8 then i % 20 else (i / 20) % 20 end,
       i % 7, 'name ' || i
from generate_series(1, 5000) i;

create table fact (
    id int primary key, dim_id int not null, v int not null, w int not null,
    ts int not null, pad text not null);
insert into fact
select i, (i::bigint * 7919 % 5000)::int + 1, (i::bigint * 48271 % 1000003)::int,
       case when i % 100 < 90 then i % 50 else i % 5000 end, i,
       repeat('x', 40)
from generate_series(1, 250000) i;
create index on fact (dim_id);
create index on fact (ts);
create index on fact (w);

-- 40 % of the rows belong to one customer, 20 % to ten, the rest to 5,000
create table account (id int primary key, kind int not null);
insert into account select i, i % 9 from generate_series(1, 5000) i;
create table entry (
    id int primary key, account_id int not null, day int not null,
    amount int not null, note text not null);
insert into entry
select i, case when i % 10 < 4 then 1 when i % 10 < 6 then 2 + i / 10 % 10
               else (i::bigint * 7907 % 5000)::int + 1 end,
       i / 300, (i::bigint * 48271 % 10007)::int, repeat('y', 30)
from generate_series(1, 300000) i;
create index on entry (account_id);
create index on entry (day);

-- what changes under the statements; nobody but the script analyzes it
create table moving (
    id int not null, dim_id int not null, grp int not null, v int not null,
    pad text not null) with (autovacuum_enabled = off);
create function load(first int, last int, spread int) returns void
language sql as $$
    insert into hostile.moving
    select i, (i::bigint * 7919 % spread)::int + 1, i % 40,
           (i::bigint * 48271 % 100003)::int, repeat('z', 30)
    from generate_series(first, last) i
$$;
select load(1, 20000, 5000);
create index moving_id on moving (id);
create index moving_dim on moving (dim_id);
vacuum analyze dim, fact, account, entry, moving;
