//! The binary format of word2vec: after the header, a word, a space and the values as little-endian 32-bit floats.

use std::io::BufRead;

use crate::{error::DataError, source::Source};

/// Maximum size of a word in bytes.
const MAX_WORD: usize = 1 << 16;
/// Maximum size of the values of a word in bytes.
const MAX_VALUES: usize = 1 << 20;

/// Whether `start`, the bytes after the header, are in the binary format: what follows the first word is no number.
pub(super) fn is_binary(start: &[u8], width: usize) -> bool {
    let Some(space) = start.iter().position(|&byte| byte == b' ' || byte == b'\t') else { return false };
    let values = &start[space..start.len().min(space.saturating_add(width.saturating_mul(4)))];
    let is_text = |byte: &u8| byte.is_ascii_digit() || b" \t\r\n+-.eE".contains(byte) || byte.is_ascii_alphabetic();
    !values.iter().all(is_text)
}

/// A word and its values.
type Entry = (Vec<u8>, Vec<f32>);

/// The next word and its values; `None` at the end.
pub(super) fn read<R: BufRead>(source: &mut Source<R>, width: usize) -> Result<Option<Entry>, DataError> {
    let Some(word) = take_word(source)? else { return Ok(None) };
    let size = width.saturating_mul(4);
    if size > MAX_VALUES {
        return Err(DataError::TooLarge { at: Box::new(source.file()), limit: MAX_VALUES });
    }
    let mut bytes = Vec::with_capacity(size);
    while bytes.len() < size {
        let available = source.fill()?;
        if available.is_empty() {
            let found = format!("the end of the file after {}", bytes.len());
            return Err(DataError::invalid(source.file(), "", format!("{size} bytes of values"), found));
        }
        let taken = available.len().min(size - bytes.len());
        bytes.extend_from_slice(&available[..taken]);
        source.consume(taken)?;
    }
    let (values, _) = bytes.as_chunks::<4>();
    Ok(Some((word, values.iter().map(|&value| f32::from_le_bytes(value)).collect())))
}

/// The bytes up to the next space, without line ends before them.
fn take_word<R: BufRead>(source: &mut Source<R>) -> Result<Option<Vec<u8>>, DataError> {
    let mut word = Vec::new();
    loop {
        let available = source.fill()?;
        if available.is_empty() {
            return match word.is_empty() {
                true => Ok(None),
                false => Err(DataError::invalid(source.file(), "", "a space after a word", "the end of the file")),
            };
        }
        let end = available.iter().position(|&byte| byte == b' ');
        word.extend_from_slice(&available[..end.unwrap_or(available.len())]);
        let taken = end.map_or(available.len(), |end| end + 1);
        source.consume(taken)?;
        let breaks = word.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        word.drain(..breaks);
        if word.len() > MAX_WORD {
            return Err(DataError::TooLarge { at: Box::new(source.file()), limit: MAX_WORD });
        }
        if end.is_some() {
            return Ok(Some(word));
        }
    }
}
