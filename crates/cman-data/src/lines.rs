//! Lines of text of bounded length, one at a time.

use std::io::{self, BufRead};

/// What [`read_line`] read.
pub(crate) struct Line {
    /// What kind of line it is.
    pub(crate) kind: LineKind,
    /// Bytes of the input that it took, with its end.
    pub(crate) bytes: usize,
    /// Whether it ended with a line feed, not with the input.
    pub(crate) ended: bool,
}

/// Kinds of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// A line of text; its bytes are in the caller's buffer.
    Text,
    /// A line with more bytes than allowed: read to its end, but not kept.
    TooLong,
    /// There is none: the input is at its end.
    End,
}

/// Reads a line of at most `limit` bytes into `line`, without its line feed or carriage return and line feed.
pub(crate) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
    line.clear();
    let (mut bytes, mut ended, mut too_long) = (0, false, false);
    while !ended {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            break;
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let (text, taken) = end.map_or((buffer, buffer.len()), |end| (&buffer[..end], end + 1));
        too_long |= line.len() + text.len() > limit;
        if !too_long {
            line.extend_from_slice(text);
        }
        input.consume(taken);
        bytes += taken;
        ended = end.is_some();
    }
    line.pop_if(|byte| *byte == b'\r');
    let kind = match (bytes, too_long) {
        (0, _) => LineKind::End,
        (_, true) => LineKind::TooLong,
        (_, false) => LineKind::Text,
    };
    Ok(Line { kind, bytes, ended })
}

/// The lines of an input, numbered from 1, without their ends and without a byte-order mark before the first.
pub struct Lines<R> {
    input: R,
    limit: usize,
    number: usize,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Lines of at most `limit` bytes.
    pub fn new(input: R, limit: usize) -> Self {
        Self { input, limit, number: 0, buffer: Vec::new() }
    }

    /// The next line with its number, or what is wrong with it; nothing at the end. A bad line is read to its end but
    /// not kept.
    ///
    /// # Errors
    /// If the input cannot be read.
    #[allow(clippy::should_implement_trait)] // a line borrows the buffer
    pub fn next(&mut self) -> io::Result<Option<(usize, Result<&str, String>)>> {
        let kind = read_line(&mut self.input, &mut self.buffer, self.limit)?.kind;
        if kind == LineKind::End {
            return Ok(None);
        }
        self.number += 1;
        if kind == LineKind::TooLong {
            return Ok(Some((self.number, Err(format!("longer than the limit of {} bytes", self.limit)))));
        }
        let mark: &[u8] = if self.number == 1 { b"\xEF\xBB\xBF" } else { b"" };
        let text = str::from_utf8(self.buffer.strip_prefix(mark).unwrap_or(&self.buffer));
        Ok(Some((self.number, text.map_err(|error| format!("not UTF-8 from byte {} on", error.valid_up_to() + 1)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], limit: usize) -> Vec<(usize, Result<String, String>)> {
        // A buffer of three bytes: lines come in pieces.
        let mut lines = Lines::new(io::BufReader::with_capacity(3, input), limit);
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            all.push((number, line.map(str::to_owned)));
        }
        all
    }

    #[test]
    fn ends_and_marks_are_taken_off() {
        let expected = [(1, Ok("a".into())), (2, Ok(String::new())), (3, Ok("\u{FEFF}bc".into()))];
        assert_eq!(lines("\u{FEFF}a\r\n\n\u{FEFF}bc".as_bytes(), 9), expected);
        assert_eq!(lines(b"", 9), []);
    }

    #[test]
    fn a_bad_line_is_told_and_the_next_one_read() {
        let expected = [
            (1, Ok("four".into())),
            (2, Err("longer than the limit of 4 bytes".into())),
            (3, Err("not UTF-8 from byte 2 on".into())),
            (4, Ok("last".into())),
        ];
        assert_eq!(lines(b"four\nfives\na\xFFb\nlast", 4), expected);
        assert_eq!(lines(b"fives", 4), [(1, Err("longer than the limit of 4 bytes".into()))]);
    }
}
