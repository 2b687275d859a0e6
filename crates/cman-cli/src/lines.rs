//! Lines of text of bounded length, one at a time.

use std::io::{self, BufRead, Read};

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
    pub fn next(&mut self) -> io::Result<Option<(usize, Result<&str, String>)>> {
        self.buffer.clear();
        let most = self.limit as u64 + 1;
        if self.input.by_ref().take(most).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let ended = self.buffer.pop_if(|byte| *byte == b'\n').is_some();
        if !ended && self.buffer.len() > self.limit {
            self.input.skip_until(b'\n')?;
            return Ok(Some((self.number, Err(format!("longer than the limit of {} bytes", self.limit)))));
        }
        self.buffer.pop_if(|byte| *byte == b'\r');
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
