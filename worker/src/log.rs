//! The log of an attempt: what its child writes to standard error and what its supervisor does with it, a bounded part of both.
//!
//! The first lines are sent as they come. When there are too many, the last ones are kept and sent at the attempt's end, and what
//! lay between is counted.

use std::{collections::VecDeque, fmt::Write};

use domain::report::LogLine;
use proto::convert::log_text;
use tokio::time::Instant;

/// Lines that are sent as they come.
const HEAD_LINES: u32 = 1000;
/// Bytes that are sent as they come.
const HEAD_BYTES: usize = 128 * 1024;
/// Lines that are kept of those after them.
const TAIL_LINES: usize = 200;
/// Bytes that are kept of those after them.
const TAIL_BYTES: usize = 32 * 1024;
/// What is left of a line for saying that it was cut.
const CUT_NOTE_BYTES: usize = 32;

/// A line that was heard, with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardLine {
    line: u32,
    heard: Instant,
    text: String,
}

/// Lines that wait to be sent, and the tail.
#[derive(Debug, Default)]
pub struct Log {
    ready: VecDeque<HeardLine>,
    /// Lines that have got a place.
    placed: u32,
    placed_bytes: usize,
    tail: VecDeque<(Instant, String)>,
    tail_bytes: usize,
    left_out: u64,
    left_out_bytes: u64,
    is_full: bool,
}

/// Parts a stream of bytes into lines of text, whatever the bytes are.
#[derive(Debug, Default)]
pub struct LineSplitter {
    begun: Vec<u8>,
    cut: usize,
}

impl HeardLine {
    /// The line as it is reported now.
    pub fn reported(&self) -> LogLine {
        LogLine { line: self.line, age: self.heard.elapsed(), text: self.text.clone() }
    }
}

impl Log {
    /// Adds a line, made fit to keep.
    pub fn add(&mut self, text: &str) {
        let (now, text) = (Instant::now(), log_text(text));
        if !self.is_full && (self.placed >= HEAD_LINES || self.placed_bytes + text.len() > HEAD_BYTES) {
            self.is_full = true;
            self.place(
                now,
                format!("[of what follows the last {TAIL_LINES} lines are kept; they come when the attempt ends]"),
            );
        }
        if !self.is_full {
            self.placed_bytes += text.len();
            return self.place(now, text);
        }
        self.tail_bytes += text.len();
        self.tail.push_back((now, text));
        while self.tail.len() > TAIL_LINES || self.tail_bytes > TAIL_BYTES {
            let Some((_, dropped)) = self.tail.pop_front() else { break };
            self.tail_bytes -= dropped.len();
            self.left_out += 1;
            self.left_out_bytes += dropped.len() as u64;
        }
    }

    /// Nothing more will come: the tail waits to be sent too.
    pub fn close(&mut self) {
        if self.left_out > 0 {
            let note = format!("[{} lines of {} bytes are left out here]", self.left_out, self.left_out_bytes);
            self.place(Instant::now(), note);
            (self.left_out, self.left_out_bytes) = (0, 0);
        }
        self.tail_bytes = 0;
        for (heard, text) in std::mem::take(&mut self.tail) {
            self.place(heard, text);
        }
    }

    /// How many lines wait to be sent.
    pub fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// Takes at most `most` lines.
    pub fn take(&mut self, most: usize) -> Vec<HeardLine> {
        self.ready.drain(..self.ready.len().min(most)).collect()
    }

    fn place(&mut self, heard: Instant, text: String) {
        self.placed += 1;
        self.ready.push_back(HeardLine { line: self.placed, heard, text });
    }
}

impl LineSplitter {
    /// Takes in bytes and passes each line that they end to `hear`.
    pub fn push(&mut self, bytes: &[u8], mut hear: impl FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            self.keep(&rest[..end]);
            hear(&self.end());
            rest = &rest[end + 1..];
        }
        self.keep(rest);
    }

    /// The last line, if the stream broke off in it.
    pub fn finish(&mut self) -> Option<String> {
        let has_begun = !self.begun.is_empty() || self.cut > 0;
        has_begun.then(|| self.end())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = (LogLine::MAX_BYTES - CUT_NOTE_BYTES).saturating_sub(self.begun.len());
        let kept = bytes.len().min(room);
        self.begun.extend_from_slice(&bytes[..kept]);
        self.cut += bytes.len() - kept;
    }

    fn end(&mut self) -> String {
        let mut text = String::from_utf8_lossy(&std::mem::take(&mut self.begun)).trim_end_matches('\r').to_owned();
        let cut = std::mem::take(&mut self.cut);
        if cut > 0 {
            text.truncate(text.floor_char_boundary(LogLine::MAX_BYTES - CUT_NOTE_BYTES));
            let _written = write!(text, " … {cut} bytes more");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: &mut Log) -> Vec<(u32, String)> {
        log.take(usize::MAX).into_iter().map(|line| (line.line, line.text)).collect()
    }

    fn split(chunks: &[&[u8]]) -> Vec<String> {
        let (mut splitter, mut lines) = (LineSplitter::default(), Vec::new());
        chunks.iter().for_each(|chunk| splitter.push(chunk, |line| lines.push(line.to_owned())));
        lines.extend(splitter.finish());
        lines
    }

    #[test]
    fn lines_are_numbered_as_they_come() {
        let mut log = Log::default();
        log.add("one");
        assert_eq!(texts(&mut log), [(1, "one".to_owned())]);

        log.add("two\0");
        log.close();

        assert_eq!(texts(&mut log), [(2, "two\u{fffd}".to_owned())]);
    }

    #[test]
    fn of_too_many_lines_the_first_and_the_last_stay_and_the_others_are_counted() {
        let mut log = Log::default();
        let lines = HEAD_LINES as usize + TAIL_LINES + 7;
        (1..=lines).for_each(|line| log.add(&format!("line {line}")));
        let head = texts(&mut log);
        log.close();
        let tail = texts(&mut log);

        assert_eq!(head.len(), HEAD_LINES as usize + 1);
        assert_eq!(head[HEAD_LINES as usize - 1], (HEAD_LINES, format!("line {HEAD_LINES}")));
        assert_eq!(tail[0].1, "[7 lines of 63 bytes are left out here]");
        assert_eq!(tail.len(), TAIL_LINES + 1);
        assert_eq!(tail.last(), Some(&(HEAD_LINES + 2 + TAIL_LINES as u32, format!("line {lines}"))));
    }

    #[test]
    fn all_that_an_attempt_leaves_is_bounded_and_within_what_a_coordinator_takes() {
        let mut log = Log::default();
        let longest = "x".repeat(3 * LogLine::MAX_BYTES);
        (0..10_000).for_each(|_| log.add(&longest));
        log.close();

        let lines = log.take(usize::MAX);
        let bytes: usize = lines.iter().map(|line| line.text.len()).sum();

        assert!(bytes <= HEAD_BYTES + TAIL_BYTES + 200, "{bytes}");
        assert!(HEAD_LINES + TAIL_LINES as u32 + 2 <= LogLine::MAX_LINES);
    }

    #[test]
    fn a_stream_is_parted_into_lines_wherever_its_pieces_end() {
        assert_eq!(split(&[b"on", b"e\r\ntwo\n\nbro", b"ken"]), ["one", "two", "", "broken"]);
        assert_eq!(split(&[b"caf\xc3", b"\xa9 \xff\n"]), ["café \u{fffd}"]);
        assert_eq!(split(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_line_without_an_end_is_cut_and_says_so() {
        let piece = [b'x'; 4096];
        let lines = split(&[&piece, &piece, b"\nnext\n"]);

        assert!(
            lines[0].len() <= LogLine::MAX_BYTES && lines[0].ends_with(" … 6176 bytes more"),
            "{}",
            &lines[0][2000..]
        );
        assert_eq!(lines[1], "next");
    }
}
