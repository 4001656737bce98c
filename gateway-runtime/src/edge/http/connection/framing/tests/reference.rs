//! A reader of requests that is simple and has all bytes at once.

/// The judgement of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// The requests are whole, or the last one has no end.
    Open,
    /// The last request violates the rules, in its head or its body.
    Refused,
}

/// Judges a stream, and returns the number of its requests whose head is whole and valid. A request
/// without an end is not judged.
pub(super) fn judge(bytes: &[u8]) -> (u32, Judgement) {
    let mut rest = bytes;
    let mut requests = 0;
    loop {
        while let Some(after) = rest.strip_prefix(b"\r\n") {
            rest = after;
        }
        let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else {
            return (requests, Judgement::Open);
        };
        let Some(framing) = framing(&rest[..end + 2]) else {
            return (requests, Judgement::Refused);
        };
        assert_accepted_by_httparse(&rest[..end + 4]);
        rest = &rest[end + 4..];
        requests += 1;
        let used = match framing {
            Framing::Length(length) => Some(length).filter(|length| *length <= rest.len()),
            Framing::Chunked => match chunked(rest) {
                Err(()) => return (requests, Judgement::Refused),
                Ok(used) => used,
            },
            Framing::Unknown => return (requests, Judgement::Refused),
        };
        let Some(used) = used else { return (requests, Judgement::Open) };
        rest = &rest[used..];
    }
}

enum Framing {
    Length(usize),
    Chunked,
    Unknown,
}

fn assert_accepted_by_httparse(head: &[u8]) {
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let parsed = httparse::Request::new(&mut fields).parse(head);
    assert_eq!(parsed, Ok(httparse::Status::Complete(head.len())), "{head:?}");
}

fn is_token(bytes: &[u8]) -> bool {
    let is_in = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_in)
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == b'\t' || byte >= 0x20 && byte != 0x7f)
}

/// Splits lines, each of which ends in CR and LF.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut lines = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        lines.push(&rest[..end]);
        rest = &rest[end + 2..];
    }
    lines
}

/// Splits a field.
fn field(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_valid = is_token(name) && is_text(value);
    is_valid.then(|| (String::from_utf8_lossy(name).to_ascii_lowercase(), value.trim_ascii()))
}

/// Returns the framing of a valid head.
fn framing(head: &[u8]) -> Option<Framing> {
    let lines = lines(head);
    let words: Vec<_> = lines[0].split(|&byte| byte == b' ').collect();
    let &[method, target, version] = &*words else { return None };
    let is_target = |&byte: &u8| byte > b' ' && byte != 0x7f && byte != b'#';
    let first = *target.first()?;
    let is_valid = is_token(method)
        && (b"/*[".contains(&first) || first.is_ascii_alphanumeric())
        && target.iter().all(is_target);
    if !is_valid || !matches!(version, b"HTTP/1.0" | b"HTTP/1.1") {
        return None;
    }
    let fields = lines[1..].iter().map(|line| field(line)).collect::<Option<Vec<_>>>()?;
    let values = |name: &str| {
        let named = fields.iter().filter(move |(other, _)| other == name);
        named.map(|(_, value)| *value).collect::<Vec<_>>()
    };
    match (&*values("content-length"), &*values("transfer-encoding")) {
        ([], []) => Some(Framing::Length(0)),
        (&[length], []) if length.iter().all(u8::is_ascii_digit) => {
            let length: i64 = std::str::from_utf8(length).ok()?.parse().ok()?;
            Some(Framing::Length(usize::try_from(length).ok()?))
        }
        ([], codings) if version == b"HTTP/1.1" => match codings {
            [one] if one.eq_ignore_ascii_case(b"chunked") => Some(Framing::Chunked),
            _ => Some(Framing::Unknown),
        },
        _ => None,
    }
}

/// Returns the length of a chunked body on the wire, or none if it has no end.
fn chunked(bytes: &[u8]) -> Result<Option<usize>, ()> {
    let mut rest = bytes;
    loop {
        let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
        let line = std::str::from_utf8(&rest[..end]).map_err(drop)?;
        let digits = line.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(line.len());
        if digits == 0 || digits > 32 || !are_extensions(&line[digits..]) {
            return Err(());
        }
        let size = i64::from_str_radix(&line[..digits], 16).map_err(drop)?;
        rest = &rest[end + 2..];
        if size == 0 {
            break;
        }
        let size = usize::try_from(size).map_err(drop)?;
        let Some(after) = rest.get(size..) else { return Ok(None) };
        let Some(end) = after.get(..2) else { return Ok(None) };
        if end != b"\r\n" {
            return Err(());
        }
        rest = &after[2..];
    }
    loop {
        let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
        let line = &rest[..end];
        rest = &rest[end + 2..];
        if line.is_empty() {
            return Ok(Some(bytes.len() - rest.len()));
        }
        field(line).ok_or(())?;
    }
}

/// Returns whether a text is `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`.
fn are_extensions(text: &str) -> bool {
    const SPACE: [char; 2] = [' ', '\t'];
    let after_token = |text: &str| {
        let length = text.find(|c: char| !is_token(c.to_string().as_bytes())).unwrap_or(text.len());
        (length > 0).then(|| text[length..].to_owned())
    };
    let mut rest = text.to_owned();
    while !rest.is_empty() {
        let Some(named) = rest.trim_start_matches(SPACE).strip_prefix(';').map(str::to_owned)
        else {
            return false;
        };
        let Some(after) = after_token(named.trim_start_matches(SPACE)) else { return false };
        rest = after;
        let Some(value) = rest.trim_start_matches(SPACE).strip_prefix('=').map(str::to_owned)
        else {
            continue;
        };
        let value = value.trim_start_matches(SPACE);
        let after = match value.strip_prefix('"') {
            Some(quoted) => after_quoted(quoted),
            None => after_token(value),
        };
        let Some(after) = after else { return false };
        rest = after;
    }
    true
}

/// Returns the text behind the closing quote.
fn after_quoted(text: &str) -> Option<String> {
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some(chars.as_str().to_owned()),
            '\\' => drop(chars.next().filter(|c| is_text(c.to_string().as_bytes()))?),
            c if is_text(c.to_string().as_bytes()) => {}
            _ => return None,
        }
    }
}
