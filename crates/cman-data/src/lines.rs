//! Lines of text with bounded length, one at a time.

use std::io::{self, BufRead};

/// The result of [`read_line`].
pub(crate) struct Line {
    /// The kind of line.
    pub(crate) kind: LineKind,
    /// Number of bytes consumed, including the line end.
    pub(crate) bytes: usize,
    /// Whether the line ended with a line feed rather than the end of input.
    pub(crate) ended: bool,
}

/// Kinds of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// A line of text, stored in the caller's buffer.
    Text,
    /// A line above the limit. It is consumed but not stored.
    TooLong,
    /// The end of input.
    End,
}

/// Reads a line of at most `limit` bytes into `line`, without LF or CRLF.
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

/// The lines of an input, numbered from 1, without line ends and without a leading byte-order mark.
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

    /// The next line number with its text or the reason why the line is invalid; `None` at the end of input. An invalid
    /// line is skipped to its end.
    ///
    /// # Errors
    /// If the input cannot be read.
    #[allow(clippy::should_implement_trait)] // the line borrows the buffer
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
        Ok(Some((self.number, text.map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to() + 1)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], limit: usize) -> Vec<(usize, Result<String, String>)> {
        // With a buffer of three bytes, lines arrive in pieces.
        let mut lines = Lines::new(io::BufReader::with_capacity(3, input), limit);
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            all.push((number, line.map(str::to_owned)));
        }
        all
    }

    #[test]
    fn line_ends_and_the_byte_order_mark_are_removed() {
        let expected = [(1, Ok("a".into())), (2, Ok(String::new())), (3, Ok("\u{FEFF}bc".into()))];
        assert_eq!(lines("\u{FEFF}a\r\n\n\u{FEFF}bc".as_bytes(), 9), expected);
        assert_eq!(lines(b"", 9), []);
    }

    #[test]
    fn an_invalid_line_is_reported_and_the_next_one_is_read() {
        let expected = [
            (1, Ok("four".into())),
            (2, Err("longer than the limit of 4 bytes".into())),
            (3, Err("not UTF-8 at byte 2".into())),
            (4, Ok("last".into())),
        ];
        assert_eq!(lines(b"four\nfives\na\xFFb\nlast", 4), expected);
        assert_eq!(lines(b"fives", 4), [(1, Err("longer than the limit of 4 bytes".into()))]);
    }
}
