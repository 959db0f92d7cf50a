
-- Numbers and quantities: the value as bytes that sort as numbers do, the unit as it is written.
-- The parameter is twice its number; twice plus one for values in canonical units.
CREATE TABLE {prefix}numbers(
  param INTEGER NOT NULL, value BLOB NOT NULL, resource INTEGER NOT NULL,
  system INTEGER NOT NULL, code INTEGER NOT NULL, unit INTEGER NOT NULL,
  PRIMARY KEY(param, value, resource, system, code, unit)
) WITHOUT ROWID;
CREATE INDEX numbers_{by_resource} ON {prefix}numbers(resource, param);
