//! `/events`: the feed, in pages or as server-sent events.

use super::inbox::PollQuery;
use super::success;
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::Query;
use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, get, web};
use bytes::Bytes;
use futures_util::stream;
use orchestrator::{Entry, Orchestrator};
use orchestrator_protocol::{ErrorBody, EventPage, Json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use utoipa_actix_web::service_config::ServiceConfig;

/// Events of a page when no limit is given, and the most of one.
const PAGE: (u64, u64) = (100, 1_000);
/// A comment goes out so often on a silent stream, so that a dead peer is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(read_events);
}

/// What happened after a number, oldest first; waits for something when asked to. With
/// `Accept: text/event-stream` an endless stream whose ids are the numbers.
#[utoipa::path(tag = "events",
    params(("after" = Option<u64>, Query, description = "0 when left out; a stream without it begins now"),
        ("limit" = Option<u64>, Query, description = "100 when left out, 1000 at most"),
        ("wait" = Option<f64>, Query, description = "seconds, 60 at most")),
    responses((status = 200, body = EventPage), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/events")]
async fn read_events(context: web::Data<Context>, request: HttpRequest, query: Query<PollQuery>) -> Answer {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let last_id = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let after = last_id.or(query.0.after()?);
    if accept.contains("text/event-stream") {
        return Ok(event_stream(&context, after));
    }
    let limit = query.0.limit()?.unwrap_or(PAGE.0).clamp(1, PAGE.1) as usize;
    let after = after.unwrap_or(0);
    let page = tokio::select! {
        page = page(&context.orchestrator, after, limit, query.0.wait()?) => page?,
        () = context.shutdown.cancelled() => EventPage { status: success(), events: Vec::new(), next: after },
    };
    Ok(HttpResponse::Ok().json(page))
}

async fn page(orchestrator: &Orchestrator, after: u64, limit: usize, wait: Duration) -> Result<EventPage, Refusal> {
    let deadline = tokio::time::Instant::now() + wait;
    let mut feed = orchestrator.subscribe();
    let mut after = after;
    loop {
        let history = orchestrator.history(after, limit).await?;
        let public = history.entries.iter().filter(|entry| entry.is_public());
        let events: Vec<Json> = public.filter_map(|entry| Json::parse(&entry.frame).ok()).collect();
        after = history.next;
        if !events.is_empty() {
            return Ok(EventPage { status: success(), events, next: after });
        }
        if history.complete && tokio::time::timeout_at(deadline, feed.next()).await.is_err() {
            return Ok(EventPage { status: success(), events, next: after });
        }
    }
}

/// Where a stream stands.
struct Stream {
    orchestrator: Orchestrator,
    shutdown: CancellationToken,
    feed: orchestrator::Subscription,
    after: u64,
    ready: VecDeque<Bytes>,
}

fn event_stream(context: &Context, after: Option<u64>) -> HttpResponse {
    let feed = context.orchestrator.subscribe();
    let state = Stream {
        orchestrator: context.orchestrator.clone(),
        shutdown: context.shutdown.clone(),
        after: after.unwrap_or_else(|| feed.cursor()),
        feed,
        ready: VecDeque::from([Bytes::from_static(b": connected\n\n")]),
    };
    let body = stream::unfold(state, |mut state| async move {
        let chunk = state.next().await?;
        Some((Ok::<_, actix_web::Error>(chunk), state))
    });
    HttpResponse::Ok().content_type("text/event-stream").insert_header(("Cache-Control", "no-cache")).streaming(body)
}

impl Stream {
    /// The next piece. Always read from the log: a slow reader costs nothing and loses nothing.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Some(chunk);
            }
            let history = self.orchestrator.history(self.after, PAGE.1 as usize).await.ok()?;
            self.after = history.next;
            let text: String = history.entries.iter().filter(|entry| entry.is_public()).map(event).collect();
            if !text.is_empty() {
                self.ready.push_back(text.into());
            } else if history.complete {
                tokio::select! {
                    news = tokio::time::timeout(KEEP_ALIVE, self.feed.next()) => if news.is_err() {
                        self.ready.push_back(Bytes::from_static(b": alive\n\n"));
                    },
                    () = self.shutdown.cancelled() => return None,
                }
            }
        }
    }
}

/// One event as the stream carries it. Frames hold no line breaks: JSON escapes them.
fn event(entry: &Entry) -> String {
    format!("id: {}\ndata: {}\n\n", entry.seq, entry.frame)
}
