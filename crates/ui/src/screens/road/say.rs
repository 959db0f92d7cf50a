//! The road in words.

use ondol_app::road::{BadStick, Carried, Tier};
use ondol_kernel::{Class, NodeId};

use crate::page::Page;
use crate::texts::T;

/// A tier.
pub fn tier(t: T, tier: Tier) -> String {
    match tier {
        Tier::Clinic => t.get("tier-clinic"),
        Tier::County => t.get("tier-county"),
        Tier::Province => t.get("tier-province"),
        Tier::Ministry => t.get("tier-ministry"),
        Tier::Specialist => t.get("tier-specialist"),
    }
}

/// A class of urgency.
pub fn class(t: T, class: Class) -> String {
    match class {
        Class::Emergency => t.get("class-emergency"),
        Class::Care => t.get("class-care"),
        Class::Routine => t.get("class-routine"),
        Class::Bulk => t.get("class-bulk"),
    }
}

/// A facility by its name, else by its tier and the first characters of its node's id.
pub fn node(t: T, name: &str, of_tier: Option<Tier>, node: &NodeId) -> String {
    if !name.is_empty() {
        return name.to_owned();
    }
    let id = node.to_string();
    let id = id.get(..8).unwrap_or(&id);
    let what = of_tier.map_or_else(|| t.get("road-unnamed"), |known| tier(t, known));
    format!("{what} ({id})")
}

/// Bytes, rounded to what a person compares.
pub fn size(t: T, bytes: u64) -> String {
    let (text, unit) = match bytes {
        0..=1_000 => return t.msg("size-kb").arg("n", "1").to_string(),
        1_001..=999_499 => (format!("{}", bytes.div_ceil(1_000)), false),
        _ => (tenths(bytes, 1_000_000), true),
    };
    if unit {
        t.msg("size-mb").arg("n", text).to_string()
    } else {
        t.msg("size-kb").arg("n", text).to_string()
    }
}

/// A number with one decimal where it is short.
fn tenths(value: u64, unit: u64) -> String {
    let tenths = value.saturating_mul(10) / unit;
    if tenths >= 100 || tenths.is_multiple_of(10) {
        format!("{}", tenths / 10)
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// How long something takes: rounded up, so that nothing is promised too early.
pub fn duration(t: T, ms: u64) -> String {
    let minutes = ms.div_ceil(60_000);
    match minutes {
        0..=1 => t.get("time-within-minute"),
        2..=90 => t.msg("time-about-minutes").arg("n", minutes).to_string(),
        91..=2_880 => t.msg("time-about-hours").arg("n", minutes.div_ceil(60)).to_string(),
        _ => t.msg("time-about-days").arg("n", minutes.div_ceil(1_440)).to_string(),
    }
}

/// Bits per second.
pub fn rate(t: T, bps: u64) -> String {
    if bps >= 1_000_000 {
        t.msg("rate-mbit").arg("n", tenths(bps, 1_000_000)).to_string()
    } else {
        t.msg("rate-kbit").arg("n", tenths(bps, 1_000)).to_string()
    }
}

/// A round trip.
pub fn milliseconds(t: T, ms: u64) -> String {
    if ms >= 1_000 {
        t.msg("time-seconds").arg("n", tenths(ms, 1_000)).to_string()
    } else {
        t.msg("time-milliseconds").arg("n", ms).to_string()
    }
}

/// A share from 0 to 1 in per cent.
pub fn share(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).clamp(0.0, 100.0))
}

/// What became of the last stick.
pub fn carried(page: &Page, carried: &Carried) -> String {
    let (t, when) = (page.t, page.when(&carried.at));
    if carried.is_held {
        t.msg("stick-held").arg("when", when).arg("n", carried.messages).to_string()
    } else {
        t.msg("stick-not-held").arg("when", when).arg("n", carried.messages).to_string()
    }
}

/// Why a stick was refused, and what to do. `called` gives the name of a node's facility.
pub fn refusal(t: T, why: &BadStick, called: &dyn Fn(&NodeId) -> String) -> (String, String) {
    match why {
        BadStick::NotAStick => (t.get("stick-bad-no-stick"), t.get("stick-bad-no-stick-do")),
        BadStick::Newer { .. } => (t.get("stick-bad-newer"), t.get("stick-bad-newer-do")),
        BadStick::ForeignNation { .. } => {
            (t.get("stick-bad-foreign"), t.get("stick-bad-foreign-do"))
        }
        BadStick::NotForUs { to } => {
            let names: Vec<String> = to.iter().take(3).map(called).collect();
            let said = t.msg("stick-bad-not-for-us").arg("to", names.join(", ")).to_string();
            (said, t.get("stick-bad-not-for-us-do"))
        }
        BadStick::UnknownSender { from } => {
            let said = t.msg("stick-bad-unknown").arg("from", called(from)).to_string();
            (said, t.get("stick-bad-unknown-do"))
        }
        BadStick::Revoked { from } => {
            let said = t.msg("stick-bad-revoked").arg("from", called(from)).to_string();
            (said, t.get("stick-bad-revoked-do"))
        }
        BadStick::NotFromSender { from } => {
            let said = t.msg("stick-bad-forged").arg("from", called(from)).to_string();
            (said, t.get("stick-bad-forged-do"))
        }
        BadStick::NotOpened { .. } => (t.get("stick-bad-sealed"), t.get("stick-bad-sealed-do")),
        BadStick::Damaged => (t.get("stick-bad-damaged"), t.get("stick-bad-damaged-do")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    const EN: T = T::new(Lang::En);

    #[test]
    fn times_are_rounded_up() {
        for (ms, said) in [
            (0, "under 1 min"),
            (60_000, "under 1 min"),
            (60_001, "about 2 min"),
            (90 * 60_000, "about 90 min"),
            (91 * 60_000, "about 2 h"),
            (12 * 3_600_000, "about 12 h"),
            (49 * 3_600_000, "about 3 days"),
        ] {
            assert_eq!(duration(EN, ms), said, "{ms}");
        }
    }

    #[test]
    fn sizes_and_rates_are_short() {
        assert_eq!(size(EN, 0), "1 kB");
        assert_eq!(size(EN, 1_001), "2 kB");
        assert_eq!(size(EN, 999_499), "1000 kB");
        assert_eq!(size(EN, 1_500_000), "1.5 MB");
        assert_eq!(size(EN, 50_000_000), "50 MB");
        assert_eq!(rate(EN, 9_600), "9.6 kbit/s");
        assert_eq!(rate(EN, 64_000), "64 kbit/s");
        assert_eq!(rate(EN, 1_000_000), "1 Mbit/s");
        assert_eq!(milliseconds(EN, 600), "600 ms");
        assert_eq!(milliseconds(EN, 1_200), "1.2 s");
        assert_eq!(share(0.021), "2 %");
    }
}
