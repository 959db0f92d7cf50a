-- Search values. `next_` stands before each name while `reindex` fills a second set.
CREATE TABLE {prefix}tokens(
  param INTEGER NOT NULL, code INTEGER NOT NULL, resource INTEGER NOT NULL,
  system INTEGER NOT NULL,
  PRIMARY KEY(param, code, resource, system)
) WITHOUT ROWID;
CREATE TABLE {prefix}strings(
  param INTEGER NOT NULL, value TEXT NOT NULL, resource INTEGER NOT NULL,
  PRIMARY KEY(param, value, resource)
) WITHOUT ROWID;
CREATE TABLE {prefix}ranges(
  param INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
  resource INTEGER NOT NULL,
  PRIMARY KEY(param, low, high, resource)
) WITHOUT ROWID;
CREATE INDEX ranges_{by_resource} ON {prefix}ranges(resource, param);
