//! Which workspaces the system reports on, and which are compared by stat: it allows only so many watches.

use std::time::Duration;

/// A scanned workspace takes the place of a watched one only when that was quiet for so much longer.
const MARGIN: Duration = Duration::from_secs(60);
/// How often a scanned workspace is compared, when few are.
const SCAN: Duration = Duration::from_secs(2);
/// So many are compared that often; more take turns, so that comparing never becomes all that is done.
const FEW: u32 = 10;

/// One workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    /// Folders that are not ignored: a watch each.
    pub(crate) folders: usize,
    /// How long nothing changed there.
    pub(crate) quiet: Duration,
    /// Whether it is watched now.
    pub(crate) watched: bool,
}

/// Which of them are to be watched, in the same order: the most active ones that fit.
pub(crate) fn share(budget: usize, needs: &[Need]) -> Vec<bool> {
    let mut order: Vec<(usize, &Need)> = needs.iter().enumerate().collect();
    order.sort_by_key(|(place, need)| {
        let stays = if need.watched { MARGIN } else { Duration::ZERO };
        (need.quiet.saturating_sub(stays), !need.watched, *place)
    });
    let mut watched = vec![false; needs.len()];
    let mut left = budget;
    for (place, need) in order {
        if let Some(rest) = left.checked_sub(need.folders) {
            left = rest;
            if let Some(watched) = watched.get_mut(place) {
                *watched = true;
            }
        }
    }
    watched
}

/// How often each of so many scanned workspaces is compared.
pub(crate) fn scan_interval(scanned: usize) -> Duration {
    SCAN * u32::try_from(scanned).unwrap_or(u32::MAX).div_ceil(FEW).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(folders: usize, quiet: u64, watched: bool) -> Need {
        Need { folders, quiet: Duration::from_secs(quiet), watched }
    }

    #[test]
    fn the_most_active_ones_that_fit_are_watched() {
        assert_eq!(share(100, &[need(50, 9, true), need(50, 3, true)]), [true, true]);
        assert_eq!(share(99, &[need(50, 9, false), need(50, 3, false)]), [false, true]);
        assert_eq!(share(60, &[need(50, 3, false), need(50, 4, false), need(10, 9, false)]), [true, false, true]);
        assert_eq!(share(10, &[need(50, 3, true)]), [false]);
    }

    #[test]
    fn places_change_only_when_one_was_quiet_for_long() {
        assert_eq!(share(50, &[need(50, 59, true), need(50, 0, false)]), [true, false]);
        assert_eq!(share(50, &[need(50, 61, true), need(50, 0, false)]), [false, true]);
        assert_eq!(share(50, &[need(50, 0, true), need(50, 0, false)]), [true, false]);
    }

    #[test]
    fn many_scanned_ones_take_turns() {
        assert_eq!([scan_interval(0), scan_interval(10), scan_interval(101)], [SCAN, SCAN, SCAN * 11]);
    }
}
