//! Sharing the watches that the system allows among the workspaces.

use super::Runner;
use crate::following::budget::{Need, scan_interval, share};
use std::time::Instant;

impl Runner {
    /// Gives the watches to the workspaces where something happens, and says which are scanned instead.
    pub(super) fn share_watches(&mut self) {
        let own = self.orchestrator.watched().map_or(0, |stats| stats.folders_watched);
        let budget = self.budget.saturating_sub(own);
        let now = Instant::now();
        let needs: Vec<Need> = self
            .followers
            .values()
            .map(|follower| {
                let stats = follower.handle.stats();
                let folders = stats.folders_watched + stats.folders_scanned;
                Need { folders, quiet: now - follower.changed_at, watched: follower.is_watched }
            })
            .collect();
        let watched = share(budget, &needs);
        let scanned = watched.iter().filter(|watched| !**watched).count();
        let interval = scan_interval(scanned);
        let others_scan = std::mem::replace(&mut self.scanned, scanned) != scanned;
        for (follower, watched) in self.followers.values_mut().zip(&watched) {
            let changes = std::mem::replace(&mut follower.is_watched, *watched) != *watched;
            if changes || (others_scan && !*watched) {
                follower.handle.allot(if *watched { budget } else { 0 }, interval);
            }
        }
        self.show_scanned(budget);
    }

    /// A watcher could not watch all that it may, or can again.
    pub(super) fn note_shortage(&mut self, key: &str, reason: Option<String>) {
        if let Some(follower) = self.followers.get_mut(key) {
            follower.shortage = reason;
        }
    }

    fn show_scanned(&mut self, budget: usize) {
        let scanned: Vec<&str> =
            self.followers.values().filter(|one| !one.is_watched).map(|one| one.agent.as_str()).collect();
        let mut reasons: Vec<String> = Vec::new();
        if !scanned.is_empty() {
            let every = scan_interval(scanned.len()).as_secs();
            reasons.push(format!(
                "more folders than the budget of {budget} watches: the workspaces that were quiet longest are compared \
                 every {every} s instead of watched: {}",
                scanned.join(", ")
            ));
        }
        let watched = self.followers.values().filter(|one| one.is_watched);
        reasons.extend(watched.filter_map(|one| Some(format!("{}: {}", one.agent, one.shortage.as_ref()?))));
        let reason = reasons.join("; ");
        if reason == self.shown_scanned {
            return;
        }
        let degradations = &self.orchestrator.shared.degradations;
        if reason.is_empty() {
            degradations.clear("workspace_budget");
        } else {
            let cure =
                "raise fs.inotify.max_user_watches or sync.watch_budget; until then changes there are seen later";
            degradations.raise("workspace_budget", reason.clone(), cure);
        }
        self.shown_scanned = reason;
    }
}
