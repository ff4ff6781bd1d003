//! Answers over HTTP/1.1, as pure functions of the bytes that came until now.

/// An answer whose head has come.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The head, as text in lower case.
    head: String,
    /// What came after it, as it was sent.
    sent: &'a [u8],
}

/// A GET of a path.
pub fn get(path: &str, host: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: cofferdam-agent\r\nConnection: close\r\n\r\n"
    )
}

/// The status of an HTTP/1 answer. Absent: it is none, or its first line has not come.
pub fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&byte| byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (_version, rest) = line.strip_prefix("HTTP/1.")?.split_once(' ')?;
    rest.get(..3)?.parse().ok()
}

impl<'a> Answer<'a> {
    /// Takes apart what came. Absent: the head has not come, or it is no HTTP.
    pub fn of(answer: &'a [u8]) -> Option<Self> {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let sent = &answer[end + 4..];
        Some(Self { head, sent })
    }

    /// Whether its body is JSON.
    pub fn is_json(&self) -> bool {
        self.header("content-type")
            .is_some_and(|media| media.contains("json"))
    }

    /// Whether the end of its body has come. Of a body that only the end of the connection ends, this
    /// is not known before.
    pub fn is_whole(&self) -> bool {
        if self.is_chunked() {
            return unchunk(self.sent).1;
        }
        let length = self.header("content-length");
        let length: Option<usize> = length.and_then(|length| length.parse().ok());
        length.is_some_and(|length| self.sent.len() >= length)
    }

    /// The body as far as it has come.
    pub fn body(&self) -> Vec<u8> {
        if self.is_chunked() {
            return unchunk(self.sent).0;
        }
        self.sent.to_vec()
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding")
            .is_some_and(|coding| coding.contains("chunked"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(key, _)| *key == name);
        found.map(|(_, value)| value.trim())
    }
}

/// The body that comes in chunks (RFC 9112, 7.1), as far as it can be made out, and whether its end
/// has come.
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some((size, chunk)) = next_chunk(rest) else {
            return (body, false);
        };
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(&chunk[..size.min(chunk.len())]);
        // The line's end behind the chunk belongs to it.
        let Some(next) = size.checked_add(2).and_then(|end| chunk.get(end..)) else {
            return (body, false);
        };
        rest = next;
    }
}

/// The size of the next chunk, and what comes after the line that says it.
fn next_chunk(rest: &[u8]) -> Option<(usize, &[u8])> {
    let end = rest.windows(2).position(|two| two == b"\r\n")?;
    let line = std::str::from_utf8(&rest[..end]).ok()?;
    let size = line.split(';').next()?.trim();
    let size = usize::from_str_radix(size, 16).ok()?;
    Some((size, &rest[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_put_together_as_far_as_it_came() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (sent, body, is_whole) in [
            (&b""[..], "", false),
            (b"2\r\nab", "ab", false),
            (b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", "abc", true),
            (b"9\r\nab", "ab", false),
            (b"ffffffffffffffff\r\nab", "ab", false),
            (b"-1\r\nab", "", false),
            (b"\xff\r\nab", "", false),
        ] {
            let answer = [&chunked[..], sent].concat();
            let answer = Answer::of(&answer).unwrap();
            assert_eq!(answer.body(), body.as_bytes());
            assert_eq!(answer.is_whole(), is_whole, "{sent:?}");
        }
    }

    #[test]
    fn a_length_says_where_a_body_ends_and_without_one_nothing_does() {
        for (answer, is_whole) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"[..], false),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", true),
            (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab", false),
            (b"HTTP/1.1 200 OK\r\n\r\nab", false),
        ] {
            assert_eq!(Answer::of(answer).unwrap().is_whole(), is_whole);
        }
        assert!(Answer::of(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n").is_none());
    }
}
