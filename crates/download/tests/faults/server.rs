//! A server on this machine that does what servers should not do.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server does with one request; the last one is repeated.
#[derive(Debug, Clone)]
pub struct Answer {
    pub body: Vec<u8>,
    pub tag: Option<&'static str>,
    /// Bytes of the body after which the connection is cut.
    pub cut_after: Option<usize>,
    pub status: Option<u16>,
    /// Whether it knows ranges.
    pub takes_ranges: bool,
    /// Whether it says how long the body is.
    pub tells_length: bool,
}

impl Answer {
    pub fn whole(body: &[u8]) -> Self {
        Self {
            body: body.to_vec(),
            tag: Some("\"one\""),
            cut_after: None,
            status: None,
            takes_ranges: true,
            tells_length: true,
        }
    }

    pub fn cut(self, after: usize) -> Self {
        Self { cut_after: Some(after), ..self }
    }

    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::whole(b"") }
    }
}

/// What the server was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub range: Option<String>,
    pub if_range: Option<String>,
}

pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for (turn, stream) in listener.incoming().enumerate() {
                let answer = &answers[turn.min(answers.len() - 1)];
                // A client that hangs up early is part of the game.
                let _ = serve(&mut stream.unwrap(), answer, &seen);
            }
        });
        Self { address, asked }
    }

    pub fn url(&self) -> String {
        format!("http://{}/file.bin", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: &mut TcpStream, answer: &Answer, seen: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let mut asked = Asked::default();
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(": ") else { continue };
        match name.to_ascii_lowercase().as_str() {
            "range" => asked.range = Some(value.to_owned()),
            "if-range" => asked.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
    seen.lock().unwrap().push(asked.clone());
    if let Some(status) = answer.status {
        return write!(stream, "HTTP/1.1 {status} Because\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let still_the_same = asked.if_range.as_deref().is_none_or(|tag| Some(tag) == answer.tag);
    let from = asked.range.as_deref().filter(|_| answer.takes_ranges && still_the_same);
    let from = from.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let total = answer.body.len();
    let body = match from {
        Some(from) if from >= total => {
            return write!(stream, "HTTP/1.1 416 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        Some(from) => {
            write!(stream, "HTTP/1.1 206 Part\r\nContent-Range: bytes {from}-{}/{total}\r\n", total - 1)?;
            &answer.body[from..]
        }
        None => {
            write!(stream, "HTTP/1.1 200 OK\r\n")?;
            &answer.body[..]
        }
    };
    if answer.tells_length {
        write!(stream, "Content-Length: {}\r\n", body.len())?;
    }
    if let Some(tag) = answer.tag {
        write!(stream, "ETag: {tag}\r\n")?;
    }
    write!(stream, "Connection: close\r\n\r\n")?;
    stream.write_all(&body[..answer.cut_after.unwrap_or(body.len()).min(body.len())])
}
