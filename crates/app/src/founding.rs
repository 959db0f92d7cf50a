//! How a nation begins, and how a node joins it (ADR 0004).

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use ondol_access::Action;
use ondol_kernel::{
    Class, DAY_MS, Millis, NodeId, ResourceId,
    bytes::{BadBytes, Reader, put_bytes},
};
use ondol_record::{
    Certificate, ChartId, Invitation,
    certificate::{BadCertificate, Issuer, Tier},
};
use ondol_store::{Identity, Space, Store, StoreError, View};
use serde_json::json;
use thiserror::Error;

use crate::{Actor, App, AppError, Changes, NodeKeys, Place, people::facility_name};

/// An invitation is good for so long, ms: paper travels slowly.
pub const INVITATION_MS: i64 = 90 * DAY_MS;

/// Where this node's place stands in [`Space::Node`].
const PLACE: &[u8] = b"place";

/// Where the link key of the node above stands in [`Space::Node`], as the invitation said it.
const INVITED_BY: &[u8] = b"invited-by";

/// What an invited facility gets, as text or QR: the secret half of its invitation, and whom to
/// ask first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The signed place.
    pub invitation: Invitation,
    /// The secret half of the one-time key.
    pub secret: [u8; 32],
    /// The nation's root key.
    pub root: [u8; 32],
    /// The facility's name.
    pub name: String,
    /// The link key of the node above.
    pub parent_link_key: [u8; 32],
    /// Where the node above listens on the road: `host:port`.
    pub parent_address: String,
    /// What the facility's pages are certified with; the meaning belongs to `node`.
    pub tls: Vec<u8>,
}

const TICKET_FORMAT: u8 = 1;

impl Ticket {
    /// The bytes behind text and QR.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = vec![TICKET_FORMAT];
        self.invitation.put(&mut to);
        to.extend_from_slice(&self.secret);
        to.extend_from_slice(&self.root);
        put_bytes(&mut to, self.name.as_bytes());
        to.extend_from_slice(&self.parent_link_key);
        put_bytes(&mut to, self.parent_address.as_bytes());
        put_bytes(&mut to, &self.tls);
        to
    }

    /// Reads what [`Ticket::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut from = Reader::new(bytes);
        if from.byte()? != TICKET_FORMAT {
            return Err(BadBytes);
        }
        let ticket = Self {
            invitation: Invitation::read(&mut from)?,
            secret: from.array()?,
            root: from.array()?,
            name: from.text()?.to_owned(),
            parent_link_key: from.array()?,
            parent_address: from.text()?.to_owned(),
            tls: from.bytes()?.to_vec(),
        };
        if from.is_empty() { Ok(ticket) } else { Err(BadBytes) }
    }
}

/// A node could not be made.
#[derive(Debug, Error)]
pub enum FoundingError {
    /// A node lives here already.
    #[error("this data directory already belongs to a facility")]
    Occupied,
    /// The invitation does not hold.
    #[error("the invitation is not valid: {0}")]
    Invitation(#[from] BadCertificate),
    /// The invitation's time is over.
    #[error("the invitation has expired; ask for a new one")]
    Expired,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the ministry's node, with which a nation begins. Gives its place.
pub fn found_nation(
    store: &dyn Store,
    root: &SigningKey,
    keys: &NodeKeys,
    link_public: [u8; 32],
    facility_name: &str,
    now: Millis,
) -> Result<Place, FoundingError> {
    let node = keys.node();
    let certificate = Certificate {
        node,
        signing_key: keys.signing.verifying_key().to_bytes(),
        link_key: link_public,
        facility: ResourceId::from_uuid(node.0),
        tier: Tier::Ministry,
        parent: None,
        issued: now,
        issuer: Issuer::Root,
        signature: [0; 64],
        possession: [0; 64],
    }
    .signed(root, &keys.signing);
    settle(store, &certificate, root.verifying_key().to_bytes(), facility_name)
}

/// Makes the node of an invited facility. Gives its place and its certificate.
pub fn join(
    store: &dyn Store,
    ticket: &Ticket,
    keys: &NodeKeys,
    link_public: [u8; 32],
    now: Millis,
) -> Result<(Place, Certificate), FoundingError> {
    let once = SigningKey::from_bytes(&ticket.secret);
    if now > ticket.invitation.expires {
        return Err(FoundingError::Expired);
    }
    let certificate = Certificate {
        node: keys.node(),
        signing_key: keys.signing.verifying_key().to_bytes(),
        link_key: link_public,
        facility: ticket.invitation.facility.clone(),
        tier: ticket.invitation.tier,
        parent: Some(ticket.invitation.parent),
        issued: now,
        issuer: Issuer::Invitation(ticket.invitation.clone()),
        signature: [0; 64],
        possession: [0; 64],
    }
    .signed(&once, &keys.signing);
    let root =
        ed25519_dalek::VerifyingKey::from_bytes(&ticket.root).map_err(|_| BadCertificate::Key)?;
    certificate.check(&root)?;
    let place = settle(store, &certificate, ticket.root, &ticket.name)?;
    let above = ticket.parent_link_key;
    ondol_store::transact(store, move |tx| tx.set_value(Space::Node, INVITED_BY, Some(&above)))?;
    Ok((place, certificate))
}

/// The link key of the node above as the invitation said it: by it a new node writes its first
/// stick before it ever saw that node's certificate.
pub(crate) fn invited_by(view: &dyn View) -> Result<Option<[u8; 32]>, AppError> {
    let key = view.value(Space::Node, INVITED_BY)?;
    key.map(|key| key.try_into().map_err(|_| AppError::Unexpected("the key of the node above")))
        .transpose()
}

/// Writes identity, certificate and place.
fn settle(
    store: &dyn Store,
    certificate: &Certificate,
    root: [u8; 32],
    name: &str,
) -> Result<Place, FoundingError> {
    if store.read()?.identity()?.is_some() {
        return Err(FoundingError::Occupied);
    }
    let place = Place {
        node: certificate.node,
        facility: certificate.facility.clone(),
        name: name.into(),
        tier: certificate.tier,
        parent: certificate.parent,
        root,
    };
    let identity = Identity { node: place.node, incarnation: 0, facility: place.facility.clone() };
    let (key, bytes) = ([b"cert/".as_slice(), &place.node.0].concat(), certificate.to_bytes());
    let place_bytes = [&root[..], name.as_bytes()].concat();
    ondol_store::transact(store, move |tx| -> Result<(), StoreError> {
        tx.set_identity(&identity)?;
        tx.set_value(Space::Peer, &key, Some(&bytes))?;
        tx.set_value(Space::Node, PLACE, Some(&place_bytes))
    })?;
    Ok(place)
}

/// Gives the practice room's store the place of the facility, so that it looks like work. Its
/// incarnation is one that no real log has: nothing that was practised can pass for real.
pub fn settle_practice(store: &dyn Store, real: &App) -> Result<(), AppError> {
    if store.read()?.identity()?.is_some() {
        return Ok(());
    }
    let place = &real.place;
    let identity =
        Identity { node: place.node, incarnation: u32::MAX, facility: place.facility.clone() };
    let key = [b"cert/".as_slice(), &place.node.0].concat();
    let (certificate, bytes) =
        (real.own_certificate(), [&place.root[..], place.name.as_bytes()].concat());
    Ok(ondol_store::transact(store, move |tx| -> Result<(), StoreError> {
        tx.set_identity(&identity)?;
        tx.set_value(Space::Peer, &key, Some(&certificate))?;
        tx.set_value(Space::Node, PLACE, Some(&bytes))
    })?)
}

/// The place of the node whose store this is; `None` before it was founded or joined.
pub fn place_of(store: &dyn Store) -> Result<Option<Place>, AppError> {
    let view = store.read()?;
    let (Some(identity), Some(bytes)) = (view.identity()?, view.value(Space::Node, PLACE)?) else {
        return Ok(None);
    };
    let damaged = AppError::Unexpected("the node's own place");
    let Some((root, name)) = bytes.split_at_checked(32) else { return Err(damaged) };
    let key = [b"cert/".as_slice(), &identity.node.0].concat();
    let certificate = view.value(Space::Peer, &key)?.and_then(|b| Certificate::from_bytes(&b).ok());
    let (Some(certificate), Ok(name), Ok(root)) =
        (certificate, std::str::from_utf8(name), root.try_into())
    else {
        return Err(damaged);
    };
    Ok(Some(Place {
        node: identity.node,
        facility: identity.facility,
        name: name.into(),
        tier: certificate.tier,
        parent: certificate.parent,
        root,
    }))
}

/// Whom to invite.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The facility's name.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// The node above it.
    pub parent: NodeId,
    /// Where that node listens on the road.
    pub parent_address: String,
}

impl App {
    /// Writes the Organization of the ministry itself, once.
    pub fn found_organization(self: &Arc<Self>, actor: &Actor) -> Result<(), AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        let (id, name) = (self.place.facility.clone(), self.place.name.to_string());
        self.writing(actor, Action::CarryEntries, &own, move |_| {
            let mut changes = Changes::new(Class::Routine);
            let organization =
                json!({ "resourceType": "Organization", "active": true, "name": name });
            changes.create_as(id, organization);
            Ok(changes)
        })?;
        Ok(())
    }

    /// Invites a facility: makes its Organization, and a ticket that only the holder of the root
    /// key can sign.
    pub fn invite(
        self: &Arc<Self>,
        actor: &Actor,
        root: &SigningKey,
        invite: &Invite,
        tls: Vec<u8>,
    ) -> Result<Ticket, AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        let name = invite.name.trim().to_owned();
        if name.is_empty() {
            return Err(AppError::Field { field: "name", why: "missing" });
        }
        let nation = self.nation();
        let parent = nation
            .node(&invite.parent)
            .filter(|_| !nation.is_revoked(&invite.parent))
            .map(|known| known.certificate.clone())
            .ok_or(AppError::Field { field: "parent", why: "unknown" })?;
        let organization = json!({
            "resourceType": "Organization", "active": true, "name": name,
            "partOf": { "reference": format!("Organization/{}", parent.facility) }
        });
        // Whoever holds the root key's file may invite on the command line as the node itself.
        let action = if actor.is_node() { Action::CarryEntries } else { Action::InviteNode };
        let entries = self.writing(actor, action, &own, move |_| {
            let mut changes = Changes::new(Class::Routine);
            changes.create(organization);
            Ok(changes)
        })?;
        let facility = entries
            .first()
            .and_then(|entry| entry.changes.first())
            .map(|change| change.id.clone())
            .ok_or(AppError::Unexpected("an organization was not made"))?;
        let place = InvitedPlace { facility, name, tier: invite.tier, parent };
        Ok(self.ticket(root, place, &invite.parent_address, tls))
    }

    /// Invites a facility again whose node was revoked, for a new node in its place: at the same
    /// Organization, in the same tier, under the same node above.
    pub fn invite_again(
        self: &Arc<Self>,
        actor: &Actor,
        root: &SigningKey,
        (revoked, parent_address): (&NodeId, &str),
        tls: Vec<u8>,
    ) -> Result<Ticket, AppError> {
        let nation = self.nation();
        let known = nation.node(revoked).ok_or(AppError::NotFound)?.certificate.clone();
        if !nation.is_revoked(revoked) || nation.serving(&known.facility).is_some() {
            return Err(AppError::State("not-revoked"));
        }
        let parent = nation.parent_of(revoked).filter(|parent| !nation.is_revoked(parent));
        let parent = parent.and_then(|parent| nation.node(&parent));
        let parent = parent.ok_or(AppError::Field { field: "parent", why: "unknown" })?;
        let chart = ChartId::Facility(known.facility.clone());
        let view = self.view()?;
        if !actor.is_node() {
            self.may(&*view, actor, Action::InviteNode, &chart, None)?;
        }
        let name = facility_name(self, &*view, &format!("Organization/{}", known.facility))?;
        let (facility, tier) = (known.facility, known.tier);
        let parent = parent.certificate.clone();
        let place = InvitedPlace { facility, name, tier, parent };
        Ok(self.ticket(root, place, parent_address, tls))
    }

    fn ticket(
        &self,
        root: &SigningKey,
        place: InvitedPlace,
        parent_address: &str,
        tls: Vec<u8>,
    ) -> Ticket {
        let InvitedPlace { facility, name, tier, parent } = place;
        let mut secret = [0; 32];
        self.rng.fill(&mut secret);
        let invitation = Invitation {
            key: SigningKey::from_bytes(&secret).verifying_key().to_bytes(),
            facility,
            tier,
            parent: parent.node,
            expires: self.now().plus(INVITATION_MS),
            signature: [0; 64],
        }
        .signed(root);
        Ticket {
            invitation,
            secret,
            root: self.place.root,
            name,
            parent_link_key: parent.link_key,
            parent_address: parent_address.to_owned(),
            tls,
        }
    }
}

/// The place for which a ticket is made.
struct InvitedPlace {
    facility: ResourceId,
    name: String,
    tier: Tier,
    parent: Certificate,
}
