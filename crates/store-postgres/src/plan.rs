//! The tables, and how they are spread over a cluster.

use std::fmt::Write as _;

/// The statements that make the tables, each behind a line that says how it is spread.
const SCHEMA: &str = include_str!("schema.sql");

/// How the rows of a table are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// The node's own: on the coordinator alone.
    Local,
    /// Small and asked by everybody: a copy on each worker.
    Reference,
    /// By the hash of a column.
    By(&'static str),
}

/// A table and what belongs to it.
struct Table {
    name: &'static str,
    spread: Spread,
    /// `CREATE TABLE …` without the semicolon.
    create: &'static str,
    /// Indexes and settings.
    rest: &'static str,
}

fn tables() -> impl Iterator<Item = Table> {
    SCHEMA.split("--! ").skip(1).filter_map(|part| {
        let (spread, text) = part.split_once('\n')?;
        let (create, rest) = text.split_once(";\n")?;
        let name = create.strip_prefix("CREATE TABLE ")?.split_once('(')?.0;
        let spread = match spread.strip_prefix("by ") {
            Some(column) => Spread::By(column),
            None if spread == "local" => Spread::Local,
            None => Spread::Reference,
        };
        Some(Table { name, spread, create, rest })
    })
}

/// The statements that make all tables on one server.
pub(crate) fn schema() -> &'static str {
    SCHEMA
}

/// The statements by which the tables stand on a cluster of `workers`, in `shards` shards.
///
/// For one server these are hash partitions, made instead of the plain tables in an empty schema,
/// before `ondol` opens it. For several workers they spread the tables that `ondol` made, by Citus;
/// rows that are there move along. Keys and columns are the same each time: that of a chart begins
/// with the chart, so that all of a chart stands in one shard and is read there.
pub fn plan(workers: u32, shards: u32) -> String {
    let shards = shards.max(1);
    if workers > 1 { by_citus(workers, shards) } else { by_partitions(shards) }
}

fn by_partitions(shards: u32) -> String {
    let mut text = format!(
        "-- One server, {shards} hash partitions of each table of charts.\n\
         -- Run this in an empty schema; `ondol serve` then finds its tables.\nBEGIN;\n"
    );
    for Table { name, spread, create, rest } in tables() {
        text.push_str(create);
        if let Spread::By(column) = spread {
            let _ = write!(text, " PARTITION BY HASH ({column})");
        }
        text.push_str(";\n");
        if matches!(spread, Spread::By(_)) {
            for shard in 0..shards {
                let _ = writeln!(
                    text,
                    "CREATE TABLE {name}_{shard} PARTITION OF {name} \
                     FOR VALUES WITH (MODULUS {shards}, REMAINDER {shard});"
                );
            }
        }
        text.extend(statements(rest));
    }
    text.push_str("COMMIT;\n");
    text
}

/// Statements without the comments between them.
fn statements(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .filter(|line| !line.starts_with("--") && !line.is_empty())
        .map(|line| [line, "\n"].concat())
}

fn by_citus(workers: u32, shards: u32) -> String {
    let each = shards.div_ceil(workers);
    let mut text = format!(
        "-- Citus, {workers} workers: {shards} shards, at most {each} on each.\n\
         -- Run this once on the coordinator, after `ondol serve` made its tables and while it is\n\
         -- stopped. All tables by chart stand together: shard n of each is on the same worker.\n\
         CREATE EXTENSION IF NOT EXISTS citus;\n"
    );
    for spread in [Spread::Local, Spread::Reference] {
        for table in tables().filter(|table| table.spread == spread) {
            let name = table.name;
            let _ = match spread {
                Spread::Local => writeln!(text, "-- {name} stays on the coordinator."),
                _ => writeln!(text, "SELECT create_reference_table('{name}');"),
            };
        }
    }
    let mut first: Option<&str> = None;
    for Table { name, spread, .. } in tables() {
        let Spread::By(column) = spread else { continue };
        let with = match first.filter(|_| column == "chart") {
            Some(first) => format!("colocate_with => '{first}'"),
            None => format!("shard_count => {shards}, colocate_with => 'none'"),
        };
        let _ = writeln!(text, "SELECT create_distributed_table('{name}', '{column}', {with});");
        if column == "chart" {
            first.get_or_insert(name);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_spread_and_its_key_begins_with_what_it_is_spread_by() {
        let made = SCHEMA.matches("CREATE TABLE ").count();
        assert_eq!(tables().count(), made);
        for Table { name, spread, create, rest } in tables() {
            let Spread::By(column) = spread else { continue };
            let begins =
                [format!("PRIMARY KEY({column},"), format!("  {column} bigint PRIMARY KEY")];
            assert!(begins.iter().any(|key| create.contains(key)), "{name}");
            assert!(!rest.contains("UNIQUE"), "{name}");
            for unique in create.split("UNIQUE(").skip(1) {
                assert!(unique.starts_with(column), "{name}");
            }
        }
    }

    #[test]
    fn a_plan_names_each_table_once_for_partitions_and_for_citus() {
        let (one, three) = (plan(1, 4), plan(3, 32));
        for Table { name, spread, .. } in tables() {
            let parts = one.matches(&format!("PARTITION OF {name} ")).count();
            let by_chart = matches!(spread, Spread::By(_));
            assert_eq!(parts, if by_chart { 4 } else { 0 }, "{name}");
            let calls = three.matches(&format!("table('{name}'")).count();
            assert_eq!(calls, usize::from(spread != Spread::Local), "{name}");
        }
        assert!(three.contains("at most 11 on each"));
        assert_eq!(three.matches("colocate_with => 'charts'").count(), 10);
    }
}
