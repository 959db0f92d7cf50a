-- The layout of format 1 (ADR 0020). What a chart has begins with the chart, so that it can be
-- spread by it; what is the node's own is small and is the same everywhere. Texts are `bytea`:
-- they are compared byte by byte whatever the database's collation.

-- The node's own state, one row.
--! local
CREATE TABLE ondol(
  one bigint PRIMARY KEY CHECK (one = 1),
  format bigint NOT NULL,
  node bytea, incarnation bigint, facility bytea,
  newest_hlc bigint NOT NULL,
  resources bigint NOT NULL,          -- the newest number of a resource
  index_rules bigint NOT NULL,        -- which rules filled the index
  utc_offset_minutes bigint NOT NULL, -- at which it reads dates without a zone
  readings bigint NOT NULL,           -- how many readings were recorded
  readings_hash bytea NOT NULL        -- the hash of the newest of them
) WITH (fillfactor = 20);

-- Texts that come again and again: types, parameters, systems, authors, roles. The key is a hash,
-- as an index takes no long text.
--! reference
CREATE TABLE names(name bigint PRIMARY KEY, key bytea NOT NULL UNIQUE, text bytea NOT NULL);

--! reference
CREATE TABLE streams(
  stream bigint PRIMARY KEY,
  origin bytea NOT NULL, incarnation bigint NOT NULL, class bigint NOT NULL,
  frontier bigint NOT NULL,           -- the last number up to which all is here
  UNIQUE(origin, incarnation, class)
) WITH (fillfactor = 50);

--! reference
CREATE TABLE seals(
  stream bigint NOT NULL, last bigint NOT NULL, first bigint NOT NULL,
  root bytea NOT NULL, signature bytea NOT NULL,
  PRIMARY KEY(stream, last, first)
);

--! local
CREATE TABLE small_values(
  space bigint NOT NULL, key bytea NOT NULL, value bytea NOT NULL,
  PRIMARY KEY(space, key)
);

-- Where a resource is: the chart of the version that is shown, and others where versions stand.
--! by id
CREATE TABLE places(
  id bytea NOT NULL,                  -- 1 and 16 bytes for a UUID, else 0 and text
  type bigint NOT NULL,
  resource bigint NOT NULL,
  chart bigint NOT NULL,
  others bigint[] NOT NULL,
  PRIMARY KEY(id, type)
);

--! by chart
CREATE TABLE charts(
  chart bigint PRIMARY KEY,           -- 64 bits of the id's hash, or the next that is free
  id bytea NOT NULL,
  kind bigint NOT NULL,
  first bigint                        -- arrival of its first entry; none for one only read of
);
CREATE INDEX charts_first ON charts(kind, first) WHERE first IS NOT NULL;

--! by chart
CREATE TABLE entries(
  chart bigint NOT NULL, arrival bigint NOT NULL,
  stream bigint NOT NULL, number bigint NOT NULL, chart_number bigint NOT NULL,
  hlc bigint NOT NULL,
  hash bytea NOT NULL,
  flags bigint NOT NULL,              -- 1: the clock was in doubt
  care_time bigint,
  author bigint NOT NULL, typist bigint NOT NULL,
  group_size bigint, group_index bigint,
  count bigint NOT NULL,
  PRIMARY KEY(chart, arrival),
  UNIQUE(chart, stream, chart_number)
);
CREATE INDEX entries_arrival ON entries(arrival);
CREATE INDEX entries_number ON entries(stream, number);
CREATE INDEX entries_hlc ON entries(hlc);

--! by chart
CREATE TABLE versions(
  chart bigint NOT NULL, arrival bigint NOT NULL, ordinal bigint NOT NULL,
  type bigint NOT NULL, id bytea NOT NULL, resource bigint NOT NULL,
  version bigint NOT NULL,            -- the version id's 8 bytes, big-endian
  superseded boolean NOT NULL,
  kind bigint NOT NULL,               -- ChangeKind, plus 4 if the resource's id is derived
  supersedes bytea,                   -- version ids, 8 bytes each
  body bytea NOT NULL,                -- packed, see ondol_store::packing
  PRIMARY KEY(chart, arrival, ordinal)
);
-- Bodies are packed already.
ALTER TABLE versions ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX versions_resource ON versions(chart, resource, version);

-- A resource stands in the chart of the version that is shown.
--! by chart
CREATE TABLE resources(
  chart bigint NOT NULL, type bigint NOT NULL, resource bigint NOT NULL,
  id bytea NOT NULL,
  arrival bigint NOT NULL,            -- of the shown version, 0 if nothing can be shown
  ordinal bigint NOT NULL,
  rivals bigint NOT NULL,             -- how many other heads
  live boolean NOT NULL,              -- false: taken back or forwarded
  PRIMARY KEY(chart, type, resource)
);
CREATE INDEX resources_type ON resources(type, resource) WHERE live;

-- Versions that are superseded already and not here yet.
--! by chart
CREATE TABLE awaited(
  chart bigint NOT NULL, resource bigint NOT NULL, version bigint NOT NULL,
  PRIMARY KEY(chart, resource, version)
);

--! by chart
CREATE TABLE seal_paths(
  chart bigint NOT NULL, stream bigint NOT NULL, last bigint NOT NULL, first bigint NOT NULL,
  chart_number bigint NOT NULL, path bytea NOT NULL,
  PRIMARY KEY(chart, stream, last, first)
);

-- Who looked at which chart. Rows are only added; each hash covers the one before it.
--! by chart
CREATE TABLE readings(
  chart bigint NOT NULL, number bigint NOT NULL,
  at bigint NOT NULL,
  who bigint NOT NULL, role bigint NOT NULL, action bigint NOT NULL,
  relation bigint NOT NULL, reason bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY(chart, number)
);
CREATE INDEX readings_number ON readings(number);

-- Search values: by resource for what is looked up and taken out, by value for searches.
--! by chart
CREATE TABLE tokens(
  chart bigint NOT NULL, resource bigint NOT NULL,
  param bigint NOT NULL, code bigint NOT NULL, system bigint NOT NULL,
  PRIMARY KEY(chart, resource, param, code, system)
);
CREATE INDEX tokens_code ON tokens(param, code);

--! by chart
CREATE TABLE strings(
  chart bigint NOT NULL, resource bigint NOT NULL,
  param bigint NOT NULL, value bytea NOT NULL,
  cut boolean NOT NULL,               -- it may go on behind what is kept
  PRIMARY KEY(chart, resource, param, value)
);
CREATE INDEX strings_value ON strings(param, value);

--! by chart
CREATE TABLE ranges(
  chart bigint NOT NULL, resource bigint NOT NULL,
  param bigint NOT NULL, low bigint NOT NULL, high bigint NOT NULL,
  PRIMARY KEY(chart, resource, param, low, high)
);
CREATE INDEX ranges_low ON ranges(param, low);

-- Numbers and quantities: the value as bytes that sort as numbers do, the unit as it is written.
--! by chart
CREATE TABLE numbers(
  chart bigint NOT NULL, resource bigint NOT NULL,
  param bigint NOT NULL, value bytea NOT NULL,
  system bigint NOT NULL, code bigint NOT NULL, unit bigint NOT NULL,
  PRIMARY KEY(chart, resource, param, value, system, code, unit)
);
CREATE INDEX numbers_value ON numbers(param, value);
