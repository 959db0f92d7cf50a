//! A small HTTP/1.1 client: blocking, one connection for each request (or a [`Line`] that is kept
//! open), no redirects of its own. It speaks to our nodes and to the browser's driver, both on
//! this machine.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use thiserror::Error;

/// No answer came, or none that can be read.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The connection failed or broke.
    #[error("the connection failed: {0}")]
    Connection(#[from] io::Error),
    /// The address is none.
    #[error("no address: {0}")]
    Address(String),
    /// The answer is no HTTP/1.1.
    #[error("the answer is no HTTP: {0}")]
    Malformed(&'static str),
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// GET, POST …
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Headers beside `Host`, `Content-Length` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How long reading and writing may stand still.
    pub patience: Duration,
}

impl<'a> Request<'a> {
    /// A request without headers or body.
    pub fn new(method: &'a str, path: &'a str) -> Self {
        let patience = Duration::from_mins(1);
        Self { method, path, headers: vec![], body: vec![], patience }
    }

    /// The same with one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a body of a type.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut request = self.header("Content-Type", content_type);
        request.body = body.into();
        request
    }

    /// Asks whoever listens at `host:port`.
    pub fn send(&self, address: &str) -> Result<Answer, HttpError> {
        let mut stream = self.connect(address)?;
        stream.write_all(&self.bytes(address, "close"))?;
        read(&mut BufReader::new(stream))
    }

    fn connect(&self, address: &str) -> Result<TcpStream, HttpError> {
        let resolved = address
            .to_socket_addrs()?
            .next()
            .ok_or_else(|| HttpError::Address(address.to_owned()))?;
        let stream = TcpStream::connect_timeout(&resolved, self.patience)?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_write_timeout(Some(self.patience))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn bytes(&self, address: &str, connection: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {address}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let length = self.body.len().to_string();
        let end = ["Content-Length: ", &length, "\r\nConnection: ", connection, "\r\n\r\n"];
        head.extend(end);
        [head.as_bytes(), &self.body].concat()
    }
}

/// A connection that is kept for the next request, as browsers and other programs keep theirs.
#[derive(Debug)]
pub struct Line {
    address: String,
    open: Option<BufReader<TcpStream>>,
}

impl Line {
    /// To whoever listens at `host:port`; connected with the first request.
    pub fn to(address: &str) -> Self {
        Self { address: address.to_owned(), open: None }
    }

    /// Asks. After an error the next request connects anew; nothing is sent twice.
    pub fn send(&mut self, request: &Request<'_>) -> Result<Answer, HttpError> {
        let mut stream = match self.open.take().filter(|open| is_open(open.get_ref())) {
            Some(open) => open,
            None => BufReader::new(request.connect(&self.address)?),
        };
        stream.get_mut().write_all(&request.bytes(&self.address, "keep-alive"))?;
        let answer = read(&mut stream)?;
        if answer.header("connection").is_none_or(|said| !said.eq_ignore_ascii_case("close")) {
            self.open = Some(stream);
        }
        Ok(answer)
    }
}

/// Whether the other side still listens: it may have stopped, or started again, since the last
/// answer.
fn is_open(stream: &TcpStream) -> bool {
    let peeked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    let waits = peeked.is_err_and(|why| why.kind() == std::io::ErrorKind::WouldBlock);
    waits && stream.set_nonblocking(false).is_ok()
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers in their order, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body as it came, without the transfer's chunks.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of a name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are none are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn read(from: &mut impl BufRead) -> Result<Answer, HttpError> {
    let first = line(from)?;
    let status = first
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .ok_or(HttpError::Malformed("status line"))?;
    let mut headers = vec![];
    loop {
        let line = line(from)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or(HttpError::Malformed("header"))?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: vec![] };
    answer.body = body(&answer, from)?;
    Ok(answer)
}

fn body(answer: &Answer, from: &mut impl BufRead) -> Result<Vec<u8>, HttpError> {
    if answer.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        return chunks(from);
    }
    let mut body = vec![];
    match answer.header("content-length") {
        Some(length) => {
            let length: usize =
                length.parse().map_err(|_| HttpError::Malformed("content-length"))?;
            body.resize(length, 0);
            from.read_exact(&mut body)?;
        }
        None if matches!(answer.status, 204 | 304) => {}
        None => {
            from.read_to_end(&mut body)?;
        }
    }
    Ok(body)
}

fn chunks(from: &mut impl BufRead) -> Result<Vec<u8>, HttpError> {
    let mut body = vec![];
    loop {
        let head = line(from)?;
        let digits = head.split(';').next().map_or("", str::trim);
        let length =
            usize::from_str_radix(digits, 16).map_err(|_| HttpError::Malformed("chunk"))?;
        if length == 0 {
            // The blank line behind the last chunk belongs to this answer.
            line(from)?;
            return Ok(body);
        }
        let start = body.len();
        body.resize(start + length, 0);
        from.read_exact(&mut body[start..])?;
        line(from)?;
    }
}

fn line(from: &mut impl BufRead) -> Result<String, HttpError> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(HttpError::Malformed("it ends early"));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_chunks_is_put_together() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nond\
            o\r\n1;x=y\r\nl\r\n0\r\n\r\n";
        let answer = read(&mut &bytes[..]).unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "ondol"));
    }

    #[test]
    fn an_answer_that_ends_early_is_an_error() {
        assert!(read(&mut &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"[..]).is_err());
        assert!(read(&mut &b"HTTP/1.1 200 OK\r\nA: b\r\n"[..]).is_err());
        assert!(read(&mut &b"SSH-2.0\r\n\r\n"[..]).is_err());
    }
}
