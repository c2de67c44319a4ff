//! Times and words as people read them.

use orchestrator_protocol::Timestamp;
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time of day in UTC, `10:30:00`.
pub(crate) fn clock(time: Timestamp) -> String {
    clock_of(&time.to_string())
}

/// The same of an ISO-8601 time.
pub(crate) fn clock_of(iso: &str) -> String {
    iso.get(11..19).unwrap_or(iso).to_owned()
}

/// Now, by this machine's clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long ago, or how far ahead: `12s ago`, `in 5m`.
pub(crate) fn ago(time: Timestamp, now: Timestamp) -> String {
    let seconds = now.0.saturating_sub(time.0) / 1_000;
    let length = match seconds.unsigned_abs() {
        0 => return "now".to_owned(),
        n @ ..120 => format!("{n}s"),
        n @ ..7_200 => format!("{}m", n / 60),
        n @ ..172_800 => format!("{}h", n / 3_600),
        n => format!("{}d", n / 86_400),
    };
    if seconds > 0 { format!("{length} ago") } else { format!("in {length}") }
}

/// The word that a value is on the wire.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_in_the_unit_that_fits() {
        let now = Timestamp(1_000_000_000);
        for (milliseconds, expected) in [
            (0, "now"),
            (999, "now"),
            (12_000, "12s ago"),
            (119_000, "119s ago"),
            (300_000, "5m ago"),
            (7_200_000, "2h ago"),
            (864_000_000, "10d ago"),
            (-60_000, "in 60s"),
        ] {
            assert_eq!(ago(Timestamp(now.0 - milliseconds), now), expected);
        }
        assert_eq!(clock(Timestamp(1_737_973_800_000)), "10:30:00");
        assert_eq!(word(&orchestrator_protocol::Severity::High), "high");
    }
}
