//! Going on over a lost connection, for commands that follow.

use crate::exit::Failure;
use crate::output::Output;
use orchestrator_client::Error;
use std::time::Duration;
use tokio::time::Instant;

/// How long the server is asked to wait for something new.
pub(crate) const WAIT: Duration = Duration::from_secs(25);

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(15);

/// Repeats a call of a follower until it succeeds or is refused for good.
pub(crate) async fn persist<T>(out: &Output, mut call: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Failure> {
    let mut pause = SHORTEST;
    loop {
        match call().await {
            Err(error) if error.is_temporary() => {
                out.note(&format!("{error}; trying again in {} s", pause.as_secs_f32()));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
            }
            other => return Ok(other?),
        }
    }
}

/// Rests when an answer that should have waited for something new came empty and at once, as it does while the
/// server is going down.
pub(crate) async fn rest(is_empty: bool, asked: Instant) {
    if is_empty && asked.elapsed() < SHORTEST {
        tokio::time::sleep(SHORTEST).await;
    }
}
