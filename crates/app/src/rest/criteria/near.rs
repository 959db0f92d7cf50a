//! `Location` `near`: within a distance of a place (R4 8.6.4.1).

use crate::rest::error::ParameterFault;

/// Where no distance is given, kilometres.
const DISTANCE_KM: f64 = 50.0;

/// The earth's mean radius, kilometres.
const EARTH_KM: f64 = 6_371.0;

/// A place and a distance around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Near {
    latitude: f64,
    longitude: f64,
    km: f64,
}

impl Near {
    /// Reads `latitude|longitude[|distance[|unit]]`, degrees; the unit is km (of UCUM), m, or
    /// `[mi_us]`, else km.
    pub(super) fn read(text: &str) -> Result<Self, ParameterFault> {
        let mut parts = text.split('|');
        let mut number = || -> Option<f64> {
            parts.next()?.parse::<f64>().ok().filter(|number| number.is_finite())
        };
        let (latitude, longitude) = (number(), number());
        let distance = match parts.next() {
            None | Some("") => DISTANCE_KM,
            Some(text) => text.parse().map_err(|_| ParameterFault::Value)?,
        };
        let in_km = match parts.next() {
            None | Some("" | "km") => 1.0,
            Some("m") => 0.001,
            Some("[mi_us]" | "[mi_i]") => 1.609_344,
            Some(_) => return Err(ParameterFault::Value),
        };
        match (latitude, longitude, parts.next()) {
            (Some(latitude), Some(longitude), None)
                if latitude.abs() <= 90.0 && longitude.abs() <= 180.0 && distance >= 0.0 =>
            {
                Ok(Self { latitude, longitude, km: distance * in_km })
            }
            _ => Err(ParameterFault::Value),
        }
    }

    /// Whether a place, in degrees as they are written, is near.
    pub(super) fn holds(&self, latitude: &str, longitude: &str) -> bool {
        let (Ok(latitude), Ok(longitude)) = (latitude.parse::<f64>(), longitude.parse::<f64>())
        else {
            return false;
        };
        let (here, there) = (self.latitude.to_radians(), latitude.to_radians());
        let (up, along) = ((there - here) / 2.0, (longitude - self.longitude).to_radians() / 2.0);
        let half = up.sin().powi(2) + here.cos() * there.cos() * along.sin().powi(2);
        2.0 * EARTH_KM * half.sqrt().min(1.0).asin() <= self.km
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_on_the_earth() {
        // Pyongyang to Pyongsong is some 27 km.
        let near = |text: &str| Near::read(text).unwrap().holds("39.2425", "125.8708");
        assert!(near("39.0194|125.7547|28|km") && near("39.0194|125.7547"));
        assert!(!near("39.0194|125.7547|26") && near("39.0194|125.7547|28000|m"));
        for bad in ["", "39", "x|1", "91|1", "1|1|1|parsec", "1|1|-1", "1|1|1|km|x", "NaN|1"] {
            assert!(Near::read(bad).is_err(), "{bad}");
        }
    }
}
