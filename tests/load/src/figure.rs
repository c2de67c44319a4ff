//! Figures: what was measured in each round, the limit on its median, and the verdict.

use std::fmt;

/// What the median must keep to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// At most so much.
    AtMost(f64),
    /// At least so much.
    AtLeast(f64),
    /// As far from 1 as this, either way: the yardstick against itself.
    Equal(f64),
    /// Nothing: printed for people.
    None,
}

/// One figure of a benchmark, a value for each round.
#[derive(Debug)]
pub(crate) struct Figure {
    /// Which.
    pub(crate) name: String,
    /// What `ours` and `theirs` are.
    pub(crate) unit: &'static str,
    /// The server, for each round.
    pub(crate) ours: Vec<f64>,
    /// The yardstick, for each round.
    pub(crate) theirs: Vec<f64>,
    /// What the limit is on, for each round: usually the ratio of both.
    pub(crate) values: Vec<f64>,
    /// The limit.
    pub(crate) limit: Limit,
    /// A second yardstick against the first, for each round: the machine's noise.
    pub(crate) noise: Vec<f64>,
}

impl Figure {
    /// A figure whose values are the ratios of both sides.
    pub(crate) fn ratio(name: impl Into<String>, unit: &'static str, limit: Limit) -> Self {
        Self {
            name: name.into(),
            unit,
            ours: Vec::new(),
            theirs: Vec::new(),
            values: Vec::new(),
            limit,
            noise: Vec::new(),
        }
    }

    /// Takes the two sides of a round.
    pub(crate) fn push(&mut self, ours: f64, theirs: f64) {
        self.ours.push(ours);
        self.theirs.push(theirs);
        self.values.push(ours / theirs);
    }

    /// Whether the median keeps to the limit. A figure without a round does not.
    pub(crate) fn passed(&self) -> bool {
        match (median(&self.values), self.limit) {
            (_, Limit::None) => true,
            (Some(median), Limit::AtMost(limit)) => median <= limit,
            (Some(median), Limit::AtLeast(limit)) => median >= limit,
            (Some(median), Limit::Equal(tolerance)) => (median - 1.0).abs() <= tolerance,
            (None, _) => false,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.limit {
            Limit::None => "",
            _ if self.passed() => "PASS",
            _ => "FAIL",
        }
    }

    /// The head of the table.
    pub(crate) fn head() -> String {
        format!(
            "{:<26} {:<16} {:>10} {:>10} {:>22} {:>9} {:>20}  {}",
            "benchmark", "unit", "server", "yardstick", "median [range]", "limit", "noise", ""
        )
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = match self.limit {
            Limit::AtMost(limit) => format!("<= {limit}"),
            Limit::AtLeast(limit) => format!(">= {limit}"),
            Limit::Equal(tolerance) => format!("1 ± {tolerance}"),
            Limit::None => String::new(),
        };
        let one = |values: &[f64]| median(values).map_or(String::new(), short);
        let (values, noise) = (spread(&self.values), spread(&self.noise));
        let Self { name, unit, ours, theirs, .. } = self;
        let line = format!(
            "{name:<26} {unit:<16} {:>10} {:>10} {values:>22} {limit:>9} {noise:>20}  {}",
            one(ours),
            one(theirs),
            self.verdict()
        );
        f.write_str(line.trim_end())
    }
}

/// The value in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    percentile(values, 0.5)
}

/// The value below which a share of all values lies; between two values for the median of an even number.
pub(crate) fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * (sorted.len().checked_sub(1)? as f64);
    let (below, above) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(below + (above - below) * place.fract())
}

fn spread(values: &[f64]) -> String {
    let Some(median) = median(values) else { return String::new() };
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} [{}..{}]", short(median), short(least), short(most))
}

/// A number with about three digits.
pub(crate) fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 0.1 => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides_and_not_the_worst_round() {
        let mut figure = Figure::ratio("x", "µs", Limit::AtMost(1.5));
        assert!(!figure.passed(), "nothing was measured");
        for ours in [1.0, 9.0, 1.2] {
            figure.push(ours, 1.0);
        }
        assert!(figure.passed());
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
        assert_eq!(percentile(&[4.0, 1.0, 3.0, 2.0, 5.0], 1.0), Some(5.0));
        figure.limit = Limit::AtLeast(1.3);
        assert!(figure.to_string().ends_with("FAIL"), "{figure}");
    }
}
