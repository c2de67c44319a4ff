//! Who may ask at all: loopback is no boundary, because a web page in the user's browser reaches it.
//!
//! The `Host` must name this server, or a page could rebind its own name to it. An `Origin` must be this
//! server's or listed, and a request that a browser marks as cross-site must come from a listed one. What
//! is no browser sends neither and passes.

use crate::answer::Refusal;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use orchestrator_protocol::ErrorCode;

/// The names by which the server may be asked, and the origins that may ask.
#[derive(Debug, Clone, Default)]
pub struct AccessRules {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl AccessRules {
    /// Rules for a port: loopback names only, and these foreign origins.
    #[must_use]
    pub fn new(port: u16, origins: &[String]) -> Self {
        let names = ["localhost", "127.0.0.1", "[::1]"];
        let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
        if port == 80 {
            hosts.extend(names.map(str::to_owned));
        }
        let origins = origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect();
        Self { hosts, origins }
    }

    /// Whether a foreign origin is listed.
    pub(crate) fn lists(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        self.origins.contains(&origin)
    }

    pub(crate) fn origins(&self) -> &[String] {
        &self.origins
    }

    /// Lets a request through, or says why not.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = one(headers, &HOST)?.ok_or_else(|| host_refused("there is no Host header"))?;
        let host = host.to_ascii_lowercase();
        if !self.hosts.contains(&host) {
            return Err(host_refused(&format!("the Host '{host:.80}' does not name this server")));
        }
        let listed = match one(headers, &ORIGIN)? {
            None => false,
            Some(origin) if self.lists(origin) => true,
            Some(origin) if origin.strip_prefix("http://").is_some_and(|own| own.eq_ignore_ascii_case(&host)) => false,
            Some(origin) => return Err(origin_refused(&format!("the origin '{origin:.80}' is not allowed"))),
        };
        let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        if !listed && site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
            return Err(origin_refused("a page of another site asked"));
        }
        Ok(())
    }
}

/// The only value of a header; two are a smuggler's sign.
fn one<'a>(headers: &'a HeaderMap, name: &actix_web::http::header::HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name);
    let first = values.next();
    if values.next().is_some() {
        return Err(host_refused(&format!("there are several '{name}' headers")));
    }
    match first.map(|value| value.to_str()) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(host_refused(&format!("the '{name}' header is no plain text"))),
    }
}

fn host_refused(detail: &str) -> Refusal {
    Refusal::new(ErrorCode::HostNotAllowed, detail, "ask http://localhost with the server's port")
}

fn origin_refused(detail: &str) -> Refusal {
    let hint = "to let pages of an origin in, start the server with --allow-origin ORIGIN";
    Refusal::new(ErrorCode::OriginNotAllowed, detail, hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn check(given: &[(&str, &str)]) -> Result<(), ErrorCode> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let rules = AccessRules::new(8000, &["http://localhost:3000/".to_owned()]);
        rules.check(&headers).map_err(|refusal| refusal.0.code)
    }

    #[test]
    fn only_requests_that_no_foreign_page_can_make_are_let_through() {
        let (host, origin) = (Err(ErrorCode::HostNotAllowed), Err(ErrorCode::OriginNotAllowed));
        let good = ("host", "localhost:8000");
        for (headers, expected) in [
            (vec![good], Ok(())),
            (vec![("host", "127.0.0.1:8000")], Ok(())),
            (vec![("host", "[::1]:8000")], Ok(())),
            (vec![("host", "LOCALHOST:8000")], Ok(())),
            (vec![], host),
            (vec![("host", "evil.example:8000")], host),
            (vec![("host", "localhost")], host),
            (vec![("host", "localhost:8001")], host),
            (vec![("host", "localhost.:8000")], host),
            (vec![good, good], host),
            (vec![good, ("origin", "http://localhost:8000")], Ok(())),
            (vec![good, ("origin", "http://localhost:3000")], Ok(())),
            (vec![good, ("origin", "http://localhost:3001")], origin),
            (vec![good, ("origin", "https://localhost:8000")], origin),
            (vec![good, ("origin", "http://127.0.0.1:8000")], origin),
            (vec![good, ("origin", "null")], origin),
            (vec![good, ("origin", "http://localhost:3000"), ("origin", "http://evil.example")], host),
            (vec![good, ("sec-fetch-site", "cross-site")], origin),
            (vec![good, ("sec-fetch-site", "same-site")], origin),
            (vec![good, ("sec-fetch-site", "same-origin")], Ok(())),
            (vec![good, ("sec-fetch-site", "none")], Ok(())),
            (vec![good, ("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")], Ok(())),
        ] {
            assert_eq!(check(&headers), expected, "{headers:?}");
        }
    }
}
