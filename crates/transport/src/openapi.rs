//! The API's description, and what follows from it: which paths exist, and with which methods.

use crate::answer::Refusal;
use orchestrator_protocol::ErrorCode;
use parking_lot::RwLock;
use utoipa::OpenApi;
use utoipa::openapi::PathItem;

/// The frame of the description; the paths are collected from the services.
#[derive(OpenApi)]
#[openapi(info(
    title = "Independent Orchestration Agent",
    description = "Coordinates AI coding agents on one codebase. Sockets and frames: docs/PROTOCOL.md. \
        Every error has the body ErrorBody: a stable code, what and why, and what to do."
))]
pub(crate) struct Description;

/// All paths of the description, each with its methods.
#[derive(Debug, Default)]
pub(crate) struct Routes(RwLock<Vec<(Vec<String>, Vec<&'static str>)>>);

impl Routes {
    /// Takes over what the description lists.
    pub(crate) fn learn(&self, api: &utoipa::openapi::OpenApi) {
        let paths = api.paths.paths.iter();
        *self.0.write() = paths.map(|(path, item)| (parts(path), methods(item))).collect();
    }

    /// The refusal of a request that no route took: a wrong path, or a wrong method on a right one.
    pub(crate) fn refuse(&self, method: &str, path: &str) -> (Refusal, Option<String>) {
        let asked = parts(path);
        let known = self.0.read();
        let matches = |route: &&(Vec<String>, Vec<&str>)| {
            route.0.len() == asked.len()
                && route.0.iter().zip(&asked).all(|(known, asked)| known.starts_with('{') || known == asked)
        };
        let allowed: Vec<&str> = known.iter().filter(matches).flat_map(|(_, methods)| methods.clone()).collect();
        if allowed.is_empty() {
            let detail = format!("no route answers '{path:.120}'");
            return (Refusal::new(ErrorCode::UnknownRoute, detail, "see /docs for all routes"), None);
        }
        let allowed = allowed.join(", ");
        let detail = format!("'{path:.120}' does not answer {method:.20}");
        (Refusal::new(ErrorCode::MethodNotAllowed, detail, format!("use {allowed}")), Some(allowed))
    }
}

fn parts(path: &str) -> Vec<String> {
    path.trim_matches('/').split('/').map(str::to_owned).collect()
}

fn methods(item: &PathItem) -> Vec<&'static str> {
    let operations = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("DELETE", &item.delete),
        ("PATCH", &item.patch),
    ];
    let given = operations.into_iter().filter(|(_, operation)| operation.is_some());
    given.map(|(method, _)| method).collect()
}
