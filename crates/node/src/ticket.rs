//! Invitations as text and QR, and the certificates of pages that travel with them.

use anyhow::{Context, Result, anyhow, ensure};
use data_encoding::BASE32_NOPAD;
use ondol_app::founding::Ticket;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints,
};
use serde_json::{Value, json};

const PREFIX: &str = "ONDOL1";

/// The text of an invitation: letters and digits that survive reading aloud, copying by hand and
/// QR's small alphabet.
pub fn to_text(ticket: &Ticket) -> String {
    format!("{PREFIX}{}", BASE32_NOPAD.encode(&ticket.to_bytes()))
}

/// Reads an invitation. Spaces, line ends and small letters are forgiven.
pub fn from_text(text: &str) -> Result<Ticket> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let text = text.to_ascii_uppercase();
    let body = text.strip_prefix(PREFIX).ok_or_else(|| {
        anyhow!("this is no invitation: it begins with {PREFIX}. Copy the whole of it")
    })?;
    let bytes = BASE32_NOPAD
        .decode(body.as_bytes())
        .map_err(|_| anyhow!("the invitation is cut off or mistyped. Copy the whole of it"))?;
    Ticket::from_bytes(&bytes)
        .map_err(|_| anyhow!("the invitation is cut off or mistyped. Copy the whole of it"))
}

/// An authority for certificates of pages: the nation's, or one that it signed for a facility.
pub struct Authority {
    /// Its name, as its certificate says it.
    pub name: String,
    /// Certificates from this authority's up to the nation's root, DER.
    pub chain: Vec<Vec<u8>>,
    /// Its key, PKCS #8 DER.
    pub key: Vec<u8>,
}

/// Only addresses of local networks and Ondol's own names: whoever trusts the nation's root for
/// Ondol trusts it for nothing else.
fn constraints() -> NameConstraints {
    let v4 =
        |a, b, prefix| GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([a, b, 0, 0], prefix));
    let mut fc = [0; 16];
    fc[0] = 0xfc;
    NameConstraints {
        permitted_subtrees: vec![
            v4(10, 0, 8),
            v4(127, 0, 8),
            v4(172, 16, 12),
            v4(192, 168, 16),
            v4(169, 254, 16),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(fc, 7)),
            GeneralSubtree::DnsName("ondol".into()),
            GeneralSubtree::DnsName("local".into()),
            GeneralSubtree::DnsName("localhost".into()),
        ],
        excluded_subtrees: vec![],
    }
}

fn authority_params(name: &str, below: Option<u8>) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(match below {
        None => BasicConstraints::Unconstrained,
        Some(levels) => BasicConstraints::Constrained(levels),
    });
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(constraints());
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    Ok(params)
}

impl Authority {
    /// Makes the nation's own.
    pub fn nation(name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let certificate = authority_params(name, None)?.self_signed(&key)?;
        Ok(Self {
            name: name.to_owned(),
            chain: vec![certificate.der().to_vec()],
            key: key.serialize_der(),
        })
    }

    /// Makes one for a facility, which can certify its own addresses as they change.
    pub fn below(&self, name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let certificate = authority_params(name, Some(0))?.signed_by(&key, &self.issuer()?)?;
        let mut chain = vec![certificate.der().to_vec()];
        chain.extend(self.chain.iter().cloned());
        Ok(Self { name: name.to_owned(), chain, key: key.serialize_der() })
    }

    /// The issuer as rcgen wants it: name and key are all that goes into what it signs.
    fn issuer(&self) -> Result<Issuer<'static, KeyPair>> {
        let key = KeyPair::try_from(self.key.as_slice())?;
        Ok(Issuer::new(authority_params(&self.name, None)?, key))
    }

    /// A certificate and key for the names and addresses under which pages are served.
    pub fn certify(&self, names: &[String]) -> Result<(Vec<Vec<u8>>, Vec<u8>)> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.to_vec())?;
        params.distinguished_name.push(DnType::CommonName, "Ondol");
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2060, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer()?)?;
        let mut chain = vec![certificate.der().to_vec()];
        // The root is what devices trust already.
        chain.extend(self.chain.iter().take(self.chain.len().saturating_sub(1)).cloned());
        Ok((chain, key.serialize_der()))
    }

    /// The nation's root certificate, DER: what a device has to trust.
    pub fn root(&self) -> &[u8] {
        self.chain.last().map_or(&[], Vec::as_slice)
    }

    /// The bytes that travel in a ticket and stand in the data directory.
    pub fn to_bytes(&self) -> Vec<u8> {
        let base64 = |bytes: &Vec<u8>| data_encoding::BASE64.encode(bytes);
        let chain: Vec<String> = self.chain.iter().map(base64).collect();
        json!({ "name": self.name, "chain": chain, "key": base64(&self.key) })
            .to_string()
            .into_bytes()
    }

    /// Reads what [`Authority::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes)?;
        let decode = |value: &Value| -> Result<Vec<u8>> {
            let text = value.as_str().context("a certificate is no text")?;
            Ok(data_encoding::BASE64.decode(text.as_bytes())?)
        };
        let chain = value["chain"].as_array().context("certificates are missing")?;
        let chain = chain.iter().map(decode).collect::<Result<Vec<_>>>()?;
        ensure!(!chain.is_empty(), "certificates are missing");
        let name = value["name"].as_str().context("the authority's name is missing")?.to_owned();
        Ok(Self { name, chain, key: decode(&value["key"])? })
    }
}
