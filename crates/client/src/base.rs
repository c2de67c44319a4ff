//! Addresses: from the base URL and names to the URLs of routes and sockets.

use crate::Error;
use reqwest::Url;

/// Where all routes stand.
const ROOT: [&str; 2] = ["api", "orchestration"];

/// The server's base URL.
#[derive(Debug, Clone)]
pub(crate) struct Base(Url);

impl Base {
    /// Reads a base URL; a path that already ends in `/api/orchestration` is taken too.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::BaseUrl { url: text.to_owned(), reason: reason.to_owned() };
        let mut url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("the scheme must be http or https"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it has no query and no fragment"));
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/api/orchestration").unwrap_or(path).to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of a route. Every segment is one name, whatever characters it has.
    pub(crate) fn route(&self, segments: &[&str]) -> Result<Url, Error> {
        let mut url = self.0.clone();
        // A segment that is a dot would be resolved away, and the request would go to another route.
        if let Some(bad) = segments.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
            return Err(Error::Argument { value: (*bad).to_owned(), what: "part of an address" });
        }
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(ROOT).extend(segments);
        }
        Ok(url)
    }

    /// The address of a socket.
    pub(crate) fn socket(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Url, Error> {
        let mut url = self.route(segments)?;
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        // Between two schemes that both have hosts and ports this always succeeds.
        let _ = url.set_scheme(scheme);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_base_gives_the_same_routes() {
        for base in ["http://h:1", "http://h:1/", "http://h:1/api/orchestration", "http://h:1/api/orchestration/"] {
            let base = Base::parse(base).unwrap();
            assert_eq!(base.to_string(), "http://h:1");
            assert_eq!(base.route(&["agents", "a/b c%"]).unwrap().path(), "/api/orchestration/agents/a%2Fb%20c%25");
        }
        let behind_a_path = Base::parse("https://h/team/").unwrap();
        let socket = behind_a_path.socket(&["ws", "agent", "x"], &[("after", "7".to_owned())]).unwrap();
        assert_eq!(socket.as_str(), "wss://h/team/api/orchestration/ws/agent/x?after=7");
    }

    #[test]
    fn what_is_no_base_or_no_name_is_refused() {
        for base in ["", "localhost:8000", "ftp://h", "http://", "http://h/?a=1"] {
            assert!(matches!(Base::parse(base), Err(Error::BaseUrl { .. })), "{base}");
        }
        let base = Base::parse("http://h").unwrap();
        for name in ["", ".", ".."] {
            assert!(matches!(base.route(&["agents", name]), Err(Error::Argument { .. })), "{name}");
        }
    }
}
