//! What of HTTP/1 the health responder understands: `GET` and `HEAD` of a path.

use super::page::Page;

/// The most bytes that a request may have, head included.
pub const MAX_BYTES: usize = 4096;

/// What the bytes of a request amount to so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// More bytes are needed.
    Incomplete,
    /// A request that can be answered.
    Complete(Answerable),
    /// Something else, with the answer to it.
    Refused(Page),
}

/// A request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answerable {
    /// The path, without its query.
    pub path: String,
    /// Whether the client wants the body too: not with `HEAD`.
    pub with_body: bool,
}

/// The answer to what is no request.
pub fn malformed() -> Page {
    Page::plain(400, "this is not an HTTP/1 request")
}

/// Reads the bytes of a request. Any bytes are safe.
pub fn parse(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
        return unless_too_long(bytes);
    };
    let Some((method, target)) = request_line(&bytes[..end]) else {
        return Parsed::Refused(malformed());
    };
    let with_body = match method {
        "GET" => true,
        "HEAD" => false,
        _ => return Parsed::Refused(Page::plain(405, "only GET and HEAD are answered")),
    };
    if !has_blank_line(&bytes[end..]) {
        return unless_too_long(bytes);
    }
    let path = target.split('?').next().unwrap_or_default().to_owned();
    Parsed::Complete(Answerable { path, with_body })
}

fn unless_too_long(bytes: &[u8]) -> Parsed {
    if bytes.len() < MAX_BYTES {
        return Parsed::Incomplete;
    }
    Parsed::Refused(Page::plain(431, "the request is too long"))
}

/// Method and target of a request line.
fn request_line(line: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_method = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
    let is_sound = is_method && target.starts_with('/') && version.starts_with("HTTP/1.");
    (is_sound && words.next().is_none()).then_some((method, target))
}

fn has_blank_line(rest: &[u8]) -> bool {
    let blank = |mark: &[u8]| rest.windows(mark.len()).any(|window| window == mark);
    blank(b"\n\r\n") || blank(b"\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> u16 {
        match parse(bytes) {
            Parsed::Refused(page) => page.status,
            other @ (Parsed::Incomplete | Parsed::Complete(_)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_taken_when_its_head_is_whole() {
        let whole = b"GET /ready?x=1 HTTP/1.1\r\nHost: a\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end]), Parsed::Incomplete, "{end}");
        }
        let taken = Answerable {
            path: "/ready".to_owned(),
            with_body: true,
        };
        assert_eq!(parse(whole), Parsed::Complete(taken));
    }

    #[test]
    fn a_bare_line_end_will_do() {
        assert!(matches!(parse(b"HEAD / HTTP/1.0\n\n"), Parsed::Complete(_)));
    }

    #[test]
    fn what_is_no_request_is_refused_by_its_first_line() {
        for garbage in [
            &b"\n"[..],
            b"\x16\x03\x01\x02\x00\x01\n",
            b"GET\r\n",
            b"GET / \r\n",
            b"GET  / HTTP/1.1\r\n",
            b"get / HTTP/1.1\r\n",
            b"GET / HTTP/1.1 x\r\n",
            b"GET http://x/ HTTP/1.1\r\n",
            b"PRI * HTTP/2.0\r\n",
            b"GET /\xff HTTP/1.1\r\n",
        ] {
            assert_eq!(refused(garbage), 400, "{garbage:?}");
        }
    }

    #[test]
    fn other_methods_and_endless_requests_are_refused() {
        assert_eq!(refused(b"POST / HTTP/1.1\r\n"), 405);
        assert_eq!(refused(&[b'x'; MAX_BYTES]), 431);
        let mut endless = b"GET / HTTP/1.1\r\nA: ".to_vec();
        endless.resize(MAX_BYTES, b'x');
        assert_eq!(refused(&endless), 431);
    }
}
