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

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], limit: usize) -> Vec<(LineKind, Vec<u8>, usize)> {
        // With a buffer of three bytes, lines arrive in pieces.
        let mut input = io::BufReader::with_capacity(3, input);
        let (mut all, mut buffer) = (Vec::new(), Vec::new());
        loop {
            let line = read_line(&mut input, &mut buffer, limit).unwrap();
            if line.kind == LineKind::End {
                return all;
            }
            all.push((line.kind, if line.kind == LineKind::Text { buffer.clone() } else { Vec::new() }, line.bytes));
        }
    }

    #[test]
    fn line_ends_are_removed_and_long_lines_are_consumed() {
        let text = |line: &[u8], bytes| (LineKind::Text, line.to_vec(), bytes);
        assert_eq!(lines(b"a\r\n\nbc", 9), [text(b"a", 3), text(b"", 1), text(b"bc", 2)]);
        assert_eq!(
            lines(b"four\nfives\nlast", 4),
            [text(b"four", 5), (LineKind::TooLong, vec![], 6), text(b"last", 4)]
        );
        assert_eq!(lines(b"", 9), []);
    }
}
