-- The layout of format 2 (ADR 0008). Everything that a client wrote stands in charts, streams,
-- entries, resources (type, id), versions (kind, supersedes, body) and names; the rest is derived.

-- The node's own state, one row.
CREATE TABLE state(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  node BLOB, incarnation INTEGER, facility BLOB,
  newest_hlc INTEGER NOT NULL,
  index_rules INTEGER NOT NULL,       -- which rules filled the index
  utc_offset_minutes INTEGER NOT NULL, -- at which it reads dates without a zone
  reindexed INTEGER,                  -- how far a rebuild of the index is, if one goes on
  readings INTEGER NOT NULL,          -- how many readings were recorded
  readings_hash BLOB NOT NULL         -- the hash of the newest of them
);

-- Texts that come again and again: types, parameters, systems, authors, roles.
CREATE TABLE names(name INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

CREATE TABLE charts(
  chart INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  subject NOT NULL,                   -- 16 bytes for a UUID, else text
  first INTEGER,                      -- arrival of its first entry; none for one only read of
  UNIQUE(kind, subject)
);
CREATE INDEX charts_first ON charts(kind, first) WHERE first IS NOT NULL;

CREATE TABLE streams(
  stream INTEGER PRIMARY KEY,
  origin BLOB NOT NULL, incarnation INTEGER NOT NULL, class INTEGER NOT NULL,
  frontier INTEGER NOT NULL,          -- the last number up to which all is here
  UNIQUE(origin, incarnation, class)
);

CREATE TABLE entries(
  arrival INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL, number INTEGER NOT NULL,
  chart INTEGER NOT NULL, chart_number INTEGER NOT NULL,
  hlc INTEGER NOT NULL,
  hash BLOB NOT NULL,
  flags INTEGER NOT NULL,             -- 1: the clock was in doubt
  care_time INTEGER,
  author INTEGER NOT NULL, typist INTEGER NOT NULL,
  group_size INTEGER, group_index INTEGER,
  first INTEGER NOT NULL,             -- the version of ordinal 0; the others follow it
  count INTEGER NOT NULL
);
CREATE UNIQUE INDEX entries_number ON entries(stream, number);
CREATE UNIQUE INDEX entries_chart ON entries(chart, stream, chart_number);
CREATE INDEX entries_hlc ON entries(hlc);

CREATE TABLE resources(
  resource INTEGER PRIMARY KEY,
  type INTEGER NOT NULL,
  id NOT NULL,                        -- 16 bytes for a UUID, else text
  chart INTEGER NOT NULL,             -- of the shown version
  shown INTEGER NOT NULL,             -- 0 until the first version is in
  rivals INTEGER NOT NULL,            -- how many other heads
  live INTEGER NOT NULL               -- 0: taken back or forwarded
);
CREATE UNIQUE INDEX resources_id ON resources(type, id);
CREATE INDEX resources_type ON resources(type, live);
CREATE INDEX resources_chart ON resources(chart, type, live);

CREATE TABLE versions(
  version INTEGER PRIMARY KEY,
  resource INTEGER NOT NULL,
  superseded INTEGER NOT NULL,
  id INTEGER NOT NULL,                -- the version id's 8 bytes, big-endian
  arrival INTEGER NOT NULL,
  kind INTEGER NOT NULL,              -- ChangeKind, plus 4 if the resource's id is derived
  supersedes BLOB,                    -- version ids, 8 bytes each
  body BLOB                           -- see body.rs
);
CREATE INDEX versions_resource ON versions(resource, superseded, id);

-- Versions that are superseded already and not here yet.
CREATE TABLE awaited(
  resource INTEGER NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY(resource, id)
) WITHOUT ROWID;

CREATE TABLE seals(
  stream INTEGER NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL,
  root BLOB NOT NULL, signature BLOB NOT NULL,
  PRIMARY KEY(stream, last, first)
) WITHOUT ROWID;

CREATE TABLE seal_paths(
  chart INTEGER NOT NULL, stream INTEGER NOT NULL, last INTEGER NOT NULL,
  first INTEGER NOT NULL, chart_number INTEGER NOT NULL, path BLOB NOT NULL,
  PRIMARY KEY(chart, stream, last, first)
) WITHOUT ROWID;

CREATE TABLE small_values(
  space INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY(space, key)
) WITHOUT ROWID;

-- Who looked at which chart. Rows are only added; each hash covers the one before it.
CREATE TABLE readings(
  number INTEGER PRIMARY KEY,
  chart INTEGER NOT NULL, at INTEGER NOT NULL,
  who INTEGER NOT NULL, role INTEGER NOT NULL, action INTEGER NOT NULL,
  relation INTEGER NOT NULL, reason TEXT NOT NULL,
  hash BLOB NOT NULL
);
CREATE INDEX readings_chart ON readings(chart);
