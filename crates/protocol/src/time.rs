//! Wall-clock times on the wire: labels for people, never the basis of a decision.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// Milliseconds since the Unix epoch; ISO-8601 in UTC on the wire (`2026-01-27T10:30:00.000Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(pub i64);

/// The last millisecond of the year 9999: what four digits can show.
const LAST: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The text, written without a detour: lists carry one time an agent, and are asked for all the time.
    /// Dates by the method of "chrono-compatible low-level date algorithms" (Hinnant), for years from 0 on.
    fn text(self) -> [u8; 24] {
        // Nothing that the log can hold lies outside; what does is shown as the epoch.
        let milliseconds = if (0..=LAST).contains(&self.0) { self.0.unsigned_abs() } else { 0 };
        let (days, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
        let shifted = days + 719_468;
        let era_day = shifted % 146_097;
        let year_of_era = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
        let day_of_year = era_day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + shifted / 146_097 * 400 + u64::from(month <= 2);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        for (at, digits, value) in [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, rest / 3_600_000),
            (14, 2, rest / 60_000 % 60),
            (17, 2, rest / 1_000 % 60),
            (20, 3, rest % 1_000),
        ] {
            let mut value = value;
            for place in text[at..at + digits].iter_mut().rev() {
                *place = b'0' + (value % 10) as u8;
                value /= 10;
            }
        }
        text
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(de::Error::custom)?;
        Ok(Self(time.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds_and_read_back() {
        let time = Timestamp(1_737_973_800_000);
        let text = serde_json::to_string(&time).unwrap();
        assert_eq!(text, "\"2025-01-27T10:30:00.000Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), time);
    }

    #[test]
    fn times_are_written_as_the_calendar_says() {
        // A prime step goes through all months, leap days and the turn of centuries.
        for step in 0..60_000 {
            let time = step * 4_194_301_111 % LAST;
            let expected = jiff::Timestamp::from_millisecond(time).unwrap();
            assert_eq!(Timestamp(time).to_string(), format!("{expected:.3}"));
        }
    }

    #[test]
    fn an_impossible_time_does_not_panic() {
        assert_eq!(Timestamp(i64::MAX).to_string(), "1970-01-01T00:00:00.000Z");
    }
}
