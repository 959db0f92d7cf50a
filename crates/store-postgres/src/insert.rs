//! Writing an entry's rows, and keeping what is derived from them.

use std::collections::{BTreeSet, HashMap};

use ondol_kernel::Hlc;
use ondol_record::{
    Change, Entry, EntryHash,
    entry::{ChangeKind, Content},
};

use crate::{
    db::{Db, Tail, id_column, version_column},
    entries,
    error::{Failure, damaged, defect},
    index,
    rows::{CLOCK_DOUBTFUL, ID_DERIVED, Place, heads_of, place},
    value::{get, values},
};

/// The entry that is being written.
struct Writing<'a> {
    db: &'a Db,
    chart: i64,
    arrival: i64,
}

/// A resource that the entry touches.
struct Touched<'a> {
    resource_type: &'a str,
    name: i64,
    id: Vec<u8>,
    place: Place,
    /// Whether `place` has a row that is no longer true.
    moved: bool,
    /// The one change that it has so far, if the resource is new with this entry.
    only: Option<&'a Change>,
}

/// Writes an entry that belongs here. Its place was checked.
pub(crate) fn entry(db: &Db, entry: &Entry, hash: EntryHash) -> Result<(), Failure> {
    let stream = db.intern_stream(&entry.address.stream)?;
    let tail = tail(db, stream)?;
    let arrival = db.next(|tally| &mut tally.arrival)?;
    let chart = db.intern_chart(&entry.chart, Some(arrival))?;
    let (author, typist) = (db.intern(&entry.author)?, db.intern(&entry.typist)?);
    let number = entry.address.number.cast_signed();
    let row = values![
        chart,
        arrival,
        stream,
        number,
        entry.chart_number.cast_signed(),
        entry.hlc.bits().cast_signed(),
        hash.0,
        if entry.clock_doubtful { CLOCK_DOUBTFUL } else { 0 },
        entry.care_time.map(|at| at.0),
        author,
        typist,
        entry.group.map(|group| i64::from(group.size)),
        entry.group.map(|group| i64::from(group.index)),
        i64::try_from(entry.changes.len()).map_err(|_| defect("an entry is too large"))?,
    ];
    db.session.later(
        "INSERT INTO entries VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        row,
    )?;
    Writing { db, chart, arrival }.changes(entry)?;
    advance(db, stream, tail, number)
}

impl Writing<'_> {
    fn changes(&self, entry: &Entry) -> Result<(), Failure> {
        let mut touched: HashMap<(i64, Vec<u8>), Touched<'_>> = self.known(&entry.changes)?;
        for (ordinal, change) in (0u32..).zip(&entry.changes) {
            let name = self.db.intern(&change.resource_type)?;
            let key = (name, id_column(&change.id));
            let known = touched.get_mut(&key);
            let is_new = known.is_none();
            let resource = match known {
                Some(known) => {
                    known.only = None;
                    if !known.place.charts().contains(&self.chart) {
                        known.place.others.push(self.chart);
                        known.moved = true;
                    }
                    known.place.clone()
                }
                None => {
                    let new = self.new_resource(change, name, &key.1, ordinal)?;
                    let place = new.place.clone();
                    touched.insert(key.clone(), new);
                    place
                }
            };
            let id = version_column(entry.version_id(ordinal));
            let superseded = !is_new && self.is_awaited(&resource, id)?;
            self.version((name, &key.1), &resource, (ordinal, id), superseded, change)?;
        }
        touched.values().try_for_each(|touched| self.settle(touched))
    }

    /// The resources of changes that are here already.
    fn known<'a>(
        &self,
        changes: &'a [Change],
    ) -> Result<HashMap<(i64, Vec<u8>), Touched<'a>>, Failure> {
        let mut types = HashMap::new();
        for change in changes {
            types.insert(self.db.intern(&change.resource_type)?, &*change.resource_type);
        }
        let ids: BTreeSet<Vec<u8>> = changes.iter().map(|change| id_column(&change.id)).collect();
        let asked: BTreeSet<(i64, Vec<u8>)> = changes
            .iter()
            .map(|change| Ok((self.db.intern(&change.resource_type)?, id_column(&change.id))))
            .collect::<Result<_, Failure>>()?;
        let rows = self.db.session.query(
            "SELECT resource, chart, others, type, id FROM places WHERE id = ANY($1)",
            values![ids.into_iter().collect::<Vec<_>>()],
        )?;
        let mut known = HashMap::new();
        for row in &rows {
            let (name, id): (i64, Vec<u8>) = (get(row, 3)?, get(row, 4)?);
            let Some(resource_type) = types.get(&name).copied() else { continue };
            if !asked.contains(&(name, id.clone())) {
                continue;
            }
            let place = place(row, 0)?;
            let touched =
                Touched { resource_type, name, id: id.clone(), place, moved: false, only: None };
            known.insert((name, id), touched);
        }
        Ok(known)
    }

    fn new_resource<'a>(
        &self,
        change: &'a Change,
        name: i64,
        id: &[u8],
        ordinal: u32,
    ) -> Result<Touched<'a>, Failure> {
        let resource = self.db.next(|tally| &mut tally.resource)?;
        self.db.session.later(
            "INSERT INTO places VALUES ($1, $2, $3, $4, '{}')",
            values![id, name, resource, self.chart],
        )?;
        let live = change.kind() == ChangeKind::Put;
        self.db.session.later(
            "INSERT INTO resources VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
            values![self.chart, name, resource, id, self.arrival, i64::from(ordinal), live],
        )?;
        Ok(Touched {
            resource_type: &change.resource_type,
            name,
            id: id.to_vec(),
            place: Place { resource, chart: self.chart, others: vec![] },
            moved: false,
            only: Some(change),
        })
    }

    /// Whether somebody said already that this version is superseded; said once, that is used up.
    fn is_awaited(&self, place: &Place, id: i64) -> Result<bool, Failure> {
        let taken = self.db.session.query(
            "DELETE FROM awaited WHERE chart = ANY($1) AND resource = $2 AND version = $3 \
             RETURNING 1::bigint",
            values![place.charts(), place.resource, id],
        )?;
        Ok(!taken.is_empty())
    }

    fn version(
        &self,
        (name, resource_id): (i64, &[u8]),
        place: &Place,
        (ordinal, id): (u32, i64),
        superseded: bool,
        change: &Change,
    ) -> Result<(), Failure> {
        let content = match &change.content {
            Content::Put(body) => self.db.packer.pack(body.as_str())?,
            Content::Retract(reason) => self.db.packer.pack(reason)?,
            Content::Forward(chart) => {
                let mut bytes = vec![];
                chart.put(&mut bytes);
                bytes
            }
        };
        let derived = if change.id_is_derived { ID_DERIVED } else { 0 };
        let supersedes: Vec<u8> = change.supersedes.iter().flat_map(|id| id.0).collect();
        self.db.session.later(
            "INSERT INTO versions VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            values![
                self.chart,
                self.arrival,
                i64::from(ordinal),
                name,
                resource_id,
                place.resource,
                id,
                superseded,
                i64::from(change.kind() as u8) | derived,
                (!supersedes.is_empty()).then_some(supersedes),
                content,
            ],
        )?;
        for id in &change.supersedes {
            self.supersede(place, version_column(*id))?;
        }
        Ok(())
    }

    /// Marks a version as superseded, or notes that it will be when it arrives.
    fn supersede(&self, place: &Place, id: i64) -> Result<(), Failure> {
        let of = values![place.charts(), place.resource, id];
        let marked = self.db.session.query(
            "UPDATE versions SET superseded = true WHERE chart = ANY($1) AND resource = $2 \
             AND version = $3 AND NOT superseded RETURNING 1::bigint",
            of.clone(),
        )?;
        if !marked.is_empty() {
            return Ok(());
        }
        let here = self.db.session.one(
            "SELECT 1::bigint FROM versions WHERE chart = ANY($1) AND resource = $2 \
             AND version = $3",
            of,
        )?;
        if here.is_some() {
            return Ok(());
        }
        self.db.session.later(
            "INSERT INTO awaited VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            values![self.chart, place.resource, id],
        )
    }

    /// Chooses the shown version again and brings the index up to date.
    fn settle(&self, touched: &Touched<'_>) -> Result<(), Failure> {
        if let Some((Content::Put(body), supersedes)) =
            touched.only.map(|change| (&change.content, &change.supersedes))
            && supersedes.is_empty()
        {
            // The only version is shown as it was written; a version that supersedes others may
            // supersede itself.
            let mut rows = BTreeSet::new();
            index::add_of(self.db, touched.resource_type, body, &mut rows)?;
            return index::insert(self.db, (self.chart, touched.place.resource), rows.iter());
        }
        let resource = Resource {
            kind: touched.resource_type,
            name: touched.name,
            id: &touched.id,
            place: &touched.place,
        };
        resource.settle(self.db, touched.moved)
    }
}

/// A resource and where it was.
pub(crate) struct Resource<'a> {
    /// The type's name.
    pub(crate) kind: &'a str,
    /// And its number.
    pub(crate) name: i64,
    pub(crate) id: &'a [u8],
    pub(crate) place: &'a Place,
}

impl Resource<'_> {
    /// Writes which version is shown, where that is, and the index rows of all heads.
    pub(crate) fn settle(&self, db: &Db, moved: bool) -> Result<(), Failure> {
        let heads = heads_of(db, self.place)?;
        let (from, resource) = (self.place.chart, self.place.resource);
        let (chart, arrival, ordinal, live) = match heads.first() {
            Some(head) => {
                let live = head.version.kind == ChangeKind::Put;
                (head.chart, head.arrival, head.ordinal, live)
            }
            // Versions that supersede each other in a circle: nothing can be shown.
            None => (from, 0, 0, false),
        };
        let rivals = i64::try_from(heads.len().saturating_sub(1)).unwrap_or(i64::MAX);
        if chart == from {
            db.session.later(
                "UPDATE resources SET arrival = $4, ordinal = $5, rivals = $6, live = $7 \
                 WHERE chart = $1 AND type = $2 AND resource = $3",
                values![chart, self.name, resource, arrival, ordinal, rivals, live],
            )?;
        } else {
            db.session.later(
                "DELETE FROM resources WHERE chart = $1 AND type = $2 AND resource = $3",
                values![from, self.name, resource],
            )?;
            db.session.later(
                "INSERT INTO resources VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                values![chart, self.name, resource, self.id, arrival, ordinal, rivals, live],
            )?;
        }
        if moved || chart != from {
            let others: Vec<i64> =
                self.place.charts().into_iter().filter(|other| *other != chart).collect();
            db.session.later(
                "UPDATE places SET chart = $3, others = $4 WHERE id = $1 AND type = $2",
                values![self.id, self.name, chart, others],
            )?;
        }
        let wanted = if live { index::wanted(db, self.kind, &heads)? } else { BTreeSet::new() };
        index::replace(db, (from, chart), resource, &wanted)
    }
}

/// How far a stream goes.
fn tail(db: &Db, stream: i64) -> Result<Tail, Failure> {
    if let Some(tail) = db.tails.borrow().get(&stream) {
        return Ok(*tail);
    }
    let row = db.session.one("SELECT frontier FROM streams WHERE stream = $1", values![stream])?;
    let row = row.ok_or_else(|| damaged("a stream's row is missing"))?;
    Ok(Tail { frontier: get(&row, 0)?, last: entries::last_number(db, stream)? })
}

/// Moves the frontier of a stream over the numbers that are here without a gap.
fn advance(db: &Db, stream: i64, tail: Tail, number: i64) -> Result<(), Failure> {
    let frontier = if number != tail.frontier + 1 {
        tail.frontier
    } else if tail.last == tail.frontier {
        number
    } else {
        entries::frontier_from(db, stream, tail.frontier)?
    };
    if frontier > tail.frontier {
        let set = "UPDATE streams SET frontier = $2 WHERE stream = $1";
        db.session.later(set, values![stream, frontier])?;
    }
    let tail = Tail { last: tail.last.max(number), frontier };
    db.tails.borrow_mut().insert(stream, tail);
    Ok(())
}

/// The newest stamp that was written or believed.
pub(crate) fn newest_hlc(db: &Db) -> Result<Hlc, Failure> {
    let row = db.session.one("SELECT newest_hlc FROM ondol", vec![])?;
    let row = row.ok_or_else(|| damaged("the state is missing"))?;
    Ok(Hlc::from_bits(get::<i64>(&row, 0)?.cast_unsigned()))
}

/// Keeps what entries moved on: the newest stamp, and the newest number of a resource.
pub(crate) fn set_newest(db: &Db, hlc: Hlc) -> Result<(), Failure> {
    let mut tally = db.tally()?;
    tally.newest_hlc = hlc.bits().cast_signed();
    *db.tally.borrow_mut() = Some(tally);
    let set = "UPDATE ondol SET newest_hlc = $1, resources = $2 WHERE one = 1";
    db.session.later(set, values![tally.newest_hlc, tally.resource])
}
