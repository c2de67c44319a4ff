//! Versions in quotes.

/// A version: its numbers, and what stands behind them.
#[derive(PartialEq, Eq)]
struct Version<'t> {
    numbers: Vec<u64>,
    /// Marks a version that comes before that of the numbers alone.
    suffix: &'t [u8],
}

/// The higher one of two versions that are both higher than the base.
pub(super) fn higher<'t>(base: &[u8], one: &'t [u8], two: &'t [u8]) -> Option<&'t [u8]> {
    let (from, first, second) = (read(base)?, read(one)?, read(two)?);
    let is_above = |high: &Version<'_>, low: &Version<'_>| above(high, low) == Some(true);
    if !is_above(&first, &from) || !is_above(&second, &from) {
        return None;
    }
    match above(&first, &second)? {
        true => Some(one),
        false => Some(two),
    }
}

/// Whether a text in quotes is a version.
pub(super) fn is_version(text: &[u8]) -> bool {
    read(text).is_some()
}

/// `None` when that cannot be said.
fn above(high: &Version<'_>, low: &Version<'_>) -> Option<bool> {
    let width = high.numbers.len().max(low.numbers.len());
    let number = |version: &Version<'_>, at: usize| version.numbers.get(at).copied().unwrap_or_default();
    let numbers = |version: &Version<'_>| (0..width).map(|at| number(version, at)).collect::<Vec<_>>();
    match numbers(high).cmp(&numbers(low)) {
        std::cmp::Ordering::Greater => Some(true),
        std::cmp::Ordering::Less => Some(false),
        std::cmp::Ordering::Equal if high.suffix.is_empty() != low.suffix.is_empty() => Some(high.suffix.is_empty()),
        std::cmp::Ordering::Equal => None,
    }
}

fn read(text: &[u8]) -> Option<Version<'_>> {
    let quote = text.first().filter(|quote| matches!(quote, b'"' | b'\''))?;
    let inner = text.strip_prefix(&[*quote])?.strip_suffix(&[*quote])?;
    let end = inner.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(inner.len());
    let (release, suffix) = inner.split_at(end);
    // `1.2.dev` has its point before the suffix.
    let release = release.strip_suffix(b".").filter(|_| !suffix.is_empty()).unwrap_or(release);
    let numbers = release.split(|byte| *byte == b'.').map(|number| std::str::from_utf8(number).ok()?.parse().ok());
    let numbers: Vec<u64> = numbers.collect::<Option<_>>()?;
    // Other suffixes come behind a version, like that of a patch.
    let mark = suffix.strip_prefix(b"-").unwrap_or(suffix);
    let mark = mark.get(..mark.iter().take_while(|byte| byte.is_ascii_alphabetic()).count()).unwrap_or_default();
    let pre_releases: [&[u8]; 9] = [b"a", b"b", b"rc", b"alpha", b"beta", b"dev", b"pre", b"snapshot", b"SNAPSHOT"];
    let is_known = suffix.is_empty() || pre_releases.contains(&mark);
    (numbers.len() > 1 && is_known).then_some(Version { numbers, suffix })
}
