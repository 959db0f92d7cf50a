//! What people write: persons, notes, consults, referrals, and what they take back.

use ondol_app::{AppError, coding};
use ondol_kernel::{Class, ResourceId};
use ondol_record::{ChartId, DraftId, Entry, draft::DraftContent};
use serde_json::{Value, json};

use crate::{
    check,
    land::land,
    node::Wish,
    world::{Person, Saved, World},
};

fn put(kind: &'static str, id: DraftId, resource: Value) -> Wish {
    Wish { kind, id, content: DraftContent::Put(resource) }
}

fn new() -> DraftId {
    DraftId::New("".into())
}

fn named(id: &str) -> Result<ResourceId, AppError> {
    ResourceId::new(id).map_err(|_| AppError::Unexpected("an id"))
}

impl World {
    pub(crate) fn treating(&self) -> usize {
        loop {
            let at = self.chance.place(self.nodes.len());
            if land().treats(at) {
                return at;
            }
        }
    }

    /// Mostly at home; sometimes above it, where the chart is too.
    fn place_of_work(&self, home: usize) -> usize {
        let mut place = home;
        while self.chance.happens(30) {
            match land().seats[place].above.filter(|&above| land().treats(above)) {
                Some(above) => place = above,
                None => break,
            }
        }
        place
    }

    pub(crate) fn somebody_writes(&mut self) -> Result<(), AppError> {
        if self.people.is_empty() || self.chance.happens(12) {
            return self.register();
        }
        let person = self.chance.place(self.people.len());
        let place = self.place_of_work(self.people[person].home);
        match self.chance.next() % 20 {
            0..=5 => self.note(person, place),
            6..=8 => self.change_what_is_shared(person, place),
            9 => {
                // Two at once, who do not know of each other.
                let other = self.place_of_work(self.people[person].home);
                self.change_what_is_shared(person, place)?;
                self.change_what_is_shared(person, other)
            }
            10 => self.take_back(person, place),
            11..=13 => self.ask(person, place, coding::CONSULT),
            14 => self.ask(person, place, coding::REFERRAL),
            15 => self.send_on(person),
            16..=17 => self.answer(person),
            18 => self.link(person, place),
            _ => self.write_of_the_facility(),
        }
    }

    fn register(&mut self) -> Result<(), AppError> {
        let home = self.treating();
        let resource = json!({"resourceType": "Patient",
            "managingOrganization": {"reference": land().organization(home)}});
        let wishes = vec![put("Patient", new(), resource)];
        let written = self.save(home, Class::Routine, None, wishes)?;
        if let Some(id) = first_id(written) {
            self.people.push(Person { id, home, requests: vec![], notes: vec![] });
        }
        Ok(())
    }

    fn subject(&self, person: usize) -> (ChartId, Value) {
        let id = &self.people[person].id;
        (ChartId::Patient(id.clone()), json!({ "reference": format!("Patient/{id}") }))
    }

    fn note(&mut self, person: usize, place: usize) -> Result<(), AppError> {
        let (chart, subject) = self.subject(person);
        let resource = json!({"resourceType": "Observation", "status": "final",
            "subject": subject, "code": {"text": self.chance.next().to_string()}});
        let class = Class::ALL[self.chance.place(Class::ALL.len())];
        let wishes = vec![put("Observation", new(), resource)];
        let written = self.save(place, class, Some(&chart), wishes)?;
        self.people[person].notes.extend(first_id(written));
        Ok(())
    }

    /// A resource of one id that several may make or change at once.
    fn change_what_is_shared(&mut self, person: usize, place: usize) -> Result<(), AppError> {
        let (chart, subject) = self.subject(person);
        let id = named(&format!("shared-{}", self.people[person].id))?;
        let resource = json!({"resourceType": "Condition", "subject": subject,
            "code": {"text": (self.chance.next() % 1_000).to_string()}});
        let wishes = vec![put("Condition", DraftId::Given(id), resource)];
        self.save(place, Class::Routine, Some(&chart), wishes).map(drop)
    }

    fn take_back(&mut self, person: usize, place: usize) -> Result<(), AppError> {
        let (chart, _) = self.subject(person);
        let notes = &self.people[person].notes;
        let (kind, id) = if notes.is_empty() || self.chance.happens(50) {
            ("Condition", named(&format!("shared-{}", self.people[person].id))?)
        } else {
            ("Observation", notes[self.chance.place(notes.len())].clone())
        };
        if check::resource(&self.nodes[place], kind, &id).is_none() {
            return Ok(());
        }
        let content = DraftContent::Retract("the wrong person".into());
        let wishes = vec![Wish { kind, id: DraftId::Given(id), content }];
        let written = self.save(place, Class::Care, Some(&chart), wishes)?;
        self.tally.retracted += u64::from(written.is_some());
        Ok(())
    }

    /// A facility that treats, and whose node is known at a place.
    fn askable(&self, place: usize) -> Option<usize> {
        let to = self.treating();
        let nation = self.nodes[place].app().nation();
        (to != place && nation.node(&land().ids[to]).is_some()).then_some(to)
    }

    /// A consult or referral to any facility that treats.
    fn ask(&mut self, person: usize, place: usize, category: &str) -> Result<(), AppError> {
        let (chart, subject) = self.subject(person);
        let Some(to) = self.askable(place) else { return Ok(()) };
        let class = [Class::Emergency, Class::Care][self.chance.place(2)];
        let resource = json!({"resourceType": "ServiceRequest", "status": "active",
            "intent": "order", "subject": subject,
            "extension": [{"url": coding::ASKED_FROM,
                "valueReference": {"reference": land().organization(place)}}],
            "category": [coding::concept(coding::REQUEST_CATEGORY, category)],
            "performer": [{"reference": land().organization(to)}]});
        self.holders.entry(chart.clone()).or_default().may.insert(to);
        let wishes = vec![put("ServiceRequest", new(), resource)];
        let written = self.save(place, class, Some(&chart), wishes)?;
        if let Some(id) = first_id(written) {
            self.holders.entry(chart).or_default().must.insert(to);
            self.people[person].requests.push(id);
            self.tally.asked += 1;
        }
        Ok(())
    }

    /// A request of a person, where one of those who were asked has it, and what it says.
    fn asked(&self, person: usize) -> Option<(ResourceId, usize, Value)> {
        let requests = &self.people[person].requests;
        if requests.is_empty() {
            return None;
        }
        let request = requests[self.chance.place(requests.len())].clone();
        let from = self.chance.place(self.nodes.len());
        let mut everybody = (0..self.nodes.len()).map(|n| (n + from) % self.nodes.len());
        everybody.find_map(|at| {
            let found = check::resource(&self.nodes[at], "ServiceRequest", &request)?;
            let here = land().organization(at);
            let performers = found["performer"].as_array()?;
            let is_asked = performers.iter().any(|performer| performer["reference"] == *here);
            is_asked.then_some((request.clone(), at, found))
        })
    }

    /// Whoever was asked sends the consult on to another facility, which is asked too from then.
    fn send_on(&mut self, person: usize) -> Result<(), AppError> {
        let (chart, subject) = self.subject(person);
        let Some((request, at, mut found)) = self.asked(person) else { return Ok(()) };
        let Some(to) = self.askable(at) else { return Ok(()) };
        found["resourceType"] = json!("ServiceRequest");
        if let Some(performers) = found["performer"].as_array_mut() {
            performers.push(json!({ "reference": land().organization(to) }));
        }
        self.holders.entry(chart.clone()).or_default().may.insert(to);
        let step = json!({"resourceType": "Communication", "status": "completed",
            "subject": subject,
            "basedOn": [{"reference": format!("ServiceRequest/{request}")}]});
        let wishes = vec![
            put("ServiceRequest", DraftId::Given(request), found),
            put("Communication", new(), step),
        ];
        if self.save(at, Class::Care, Some(&chart), wishes)?.is_some() {
            self.holders.entry(chart).or_default().must.insert(to);
            self.tally.asked += 1;
        }
        Ok(())
    }

    /// Whoever was asked and has the request answers.
    fn answer(&mut self, person: usize) -> Result<(), AppError> {
        let (chart, subject) = self.subject(person);
        let Some((request, at, _)) = self.asked(person) else { return Ok(()) };
        let resource = json!({"resourceType": "Communication", "status": "completed",
            "subject": subject,
            "basedOn": [{"reference": format!("ServiceRequest/{request}")}]});
        let wishes = vec![put("Communication", new(), resource)];
        self.save(at, Class::Emergency, Some(&chart), wishes).map(drop)
    }

    /// Two persons turn out to be one, or not: both charts change in one transaction, as
    /// `link_persons` does it.
    fn link(&mut self, person: usize, place: usize) -> Result<(), AppError> {
        let other = self.chance.place(self.people.len());
        let (one, two) = (self.people[person].id.clone(), self.people[other].id.clone());
        let both = [(&one, &two, "replaced-by"), (&two, &one, "replaces")];
        let undo = self.chance.happens(30);
        let mut wishes = vec![];
        for (from, to, kind) in both {
            let node = &self.nodes[place];
            let Some(mut patient) = check::resource(node, "Patient", from) else { return Ok(()) };
            patient["resourceType"] = json!("Patient");
            if undo {
                patient.as_object_mut().map(|members| members.shift_remove("link"));
            } else {
                let reference = format!("Patient/{to}");
                patient["link"] = json!([{"other": {"reference": reference}, "type": kind}]);
            }
            wishes.push(put("Patient", DraftId::Given(from.clone()), patient));
        }
        if one == two {
            return Ok(());
        }
        let (first, second) = (ChartId::Patient(one), ChartId::Patient(two));
        self.holders.entry(second.clone()).or_default().may.insert(place);
        self.linked.push((first.clone(), second));
        let written = self.save(place, Class::Care, Some(&first), wishes)?;
        self.tally.linked += u64::from(written.is_some());
        Ok(())
    }

    /// Something of a facility's own chart: those above learn of it, and those below.
    fn write_of_the_facility(&mut self) -> Result<(), AppError> {
        let at = self.chance.place(self.nodes.len());
        let organization = land().organization(at);
        let chart = ChartId::Facility(land().facility(at));
        let resource = json!({"resourceType": "Location", "name": self.chance.next().to_string(),
            "managingOrganization": {"reference": organization}});
        let id = named(&format!("room-{at}"))?;
        let wishes = vec![put("Location", DraftId::Given(id), resource)];
        self.save(at, Class::Routine, Some(&chart), wishes).map(drop)
    }

    /// Saves; none if the disk refused it or the power went before anything was acknowledged.
    fn save(
        &mut self,
        at: usize,
        class: Class,
        chart: Option<&ChartId>,
        wishes: Vec<Wish>,
    ) -> Result<Option<Vec<Entry>>, AppError> {
        if let Some(chart) = chart {
            self.holders.entry(chart.clone()).or_default().may.insert(at);
        }
        self.endanger(at);
        let written = self.nodes[at].write(class, wishes);
        let Some(entries) = self.survived(at, written)? else { return Ok(None) };
        for entry in &entries {
            self.tally.written += 1;
            let holders = self.holders.entry(entry.chart.clone()).or_default();
            holders.must.insert(at);
            holders.may.insert(at);
            let (address, hash, chart) = (entry.address, entry.hash(), entry.chart.clone());
            self.saved.push(Saved { at, address, hash, chart });
        }
        Ok(Some(entries))
    }
}

fn first_id(written: Option<Vec<Entry>>) -> Option<ResourceId> {
    Some(written?.first()?.changes.first()?.id.clone())
}
