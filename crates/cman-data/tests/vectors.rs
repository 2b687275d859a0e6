//! Word-vector files: valid, unusual and invalid.

use std::io::{BufReader, Write};

use cman_data::{DataError, VectorReader, VectorReport};
use flate2::{Compression, write::GzEncoder};

type Vectors = Vec<(String, Vec<f32>)>;

fn read(bytes: &[u8]) -> Result<(Vectors, VectorReport), DataError> {
    let mut reader = VectorReader::from_reader(bytes, "v.txt")?;
    let vectors = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((vectors, reader.report()))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn both_formats_and_gzip_give_the_same_vectors() {
    let expected: Vectors = vec![("the".into(), vec![0.5, -1.0]), ("Zürich".into(), vec![1e-3, 2.0])];
    for text in [
        "the 0.5 -1\nZürich 1e-3 2\n",
        "the 0.5 -1\nZürich 1e-3 2",
        "2 2\nthe 0.5 -1 \nZürich 1e-3 2 \n",
        "\u{FEFF}2 2\r\nthe\t0.5\t-1\r\nZürich\t1e-3\t2\r\n",
    ] {
        assert_eq!(read(text.as_bytes()).unwrap().0, expected, "{text:?}");
        assert_eq!(read(&gzip(text.as_bytes())).unwrap().0, expected, "{text:?}");
    }
    let parts = [gzip(b"the 0.5 -1\n"), gzip("Zürich 1e-3 2\n".as_bytes())].concat();
    assert_eq!(read(&parts).unwrap().0, expected);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), parts).unwrap();
    let mut reader = VectorReader::from_path(file.path()).unwrap();
    assert_eq!(reader.width(), 2);
    assert_eq!(reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap(), expected);
    assert_eq!(reader.report().to_string(), "2 vectors");
}

#[test]
fn repeated_and_invalid_words_are_skipped() {
    let (vectors, report) = read(b"4 1\na 1\nb 2\na 3\n\xE2\x82 4\n").unwrap();
    assert_eq!(vectors, [("a".to_owned(), vec![1.0]), ("b".to_owned(), vec![2.0])]);
    assert_eq!(report, VectorReport { words: 2, duplicates: 1, not_utf8: 1 });
    assert_eq!(report.to_string(), "2 vectors, 1 skipped (repeated word), 1 skipped (word is not UTF-8)");
}

#[test]
fn words_may_be_numbers_or_contain_white_space() {
    let (vectors, _) = read("a 1 2\n. . . 3 4\n1 5 6\nat x@y.z 7 8\n\u{a0} 9 10\n1\u{a0}2 11 12\n".as_bytes()).unwrap();
    let words: Vec<_> = vectors.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["a", ". . .", "1", "at x@y.z", "\u{a0}", "1\u{a0}2"]);
    assert_eq!(vectors[1].1, [3.0, 4.0]);
}

#[test]
fn invalid_files_are_errors() {
    for (text, expected) in [
        ("", "v.txt: expected word vectors, found none"),
        ("0 50\n", "v.txt: expected word vectors, found none"),
        ("\n", "v.txt: line 1: expected a word and its values, found no values"),
        ("the\n", "v.txt: line 1: expected a word and its values, found no values"),
        ("2 0\na\nb\n", "v.txt: line 1: expected a word and its values, found no values"),
        ("a 1 2\nb 1\n", "v.txt: line 2: expected 2 values, found 1"),
        ("a 1 2\nb 1 2 3\n", "v.txt: line 2: expected 2 values, found 3"),
        ("2 3\na 1 2\n", "v.txt: line 2: expected 3 values, found 2"),
        ("a 1 2\n\nb 1 2\n", "v.txt: line 2: expected a word and its values, found no word"),
        ("a 1 2\n 1 2\n", "v.txt: line 2: expected a word and its values, found no word"),
        ("a 1 x\n", r#"v.txt: line 1, value 2: expected a finite number, found "x""#),
        ("a 1 2\nb NaN 2\n", r#"v.txt: line 2, value 1: expected a finite number, found "NaN""#),
        ("a 1 2\nb 1 -inf\n", r#"v.txt: line 2, value 2: expected a finite number, found "-inf""#),
        ("a 1 2\nb 1 1e39\n", r#"v.txt: line 2, value 2: expected a finite number, found "1e39""#),
        ("a 1 2\nb 1  2\n", "v.txt: line 2: expected 2 values, found 3"),
        ("a 1 2\nb 1 \u{0}\n", r#"v.txt: line 2, value 2: expected a finite number, found "\0""#),
        ("2 2\na 1 2\n", "v.txt: expected 2 vectors as in the header, found 1"),
        ("1 2\na 1 2\nb 1 2\n", "v.txt: line 3: expected the end of the file after 1 vectors, found more"),
        ("5 18446744073709551615\na 1 2\n", "v.txt: line 2: expected 18446744073709551615 values, found 2"),
    ] {
        assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), expected, "{text:?}");
    }
    assert_eq!(read(b"\xFF 1 2\n").unwrap_err().to_string(), "v.txt: expected word vectors, found none");
    let long = [b"a 1\nb 1".as_slice(), &vec![b'0'; 2 << 20]].concat();
    assert_eq!(read(&long).unwrap_err().to_string(), "v.txt: line 2: longer than the limit of 1048576 bytes");
    let compressed = gzip("a 1 2\n".repeat(1000).as_bytes());
    assert!(matches!(read(&compressed[..compressed.len() - 10]), Err(DataError::Io { .. })));
    let folder = tempfile::tempdir().unwrap();
    assert!(
        VectorReader::from_path(folder.path())
            .err()
            .unwrap()
            .to_string()
            .ends_with("expected a file, found a directory")
    );
    assert!(matches!(VectorReader::from_path(folder.path().join("x")).err(), Some(DataError::Io { .. })));
}

#[test]
fn an_error_ends_iteration_and_small_buffers_work() {
    let text = b"a 1 2\nb 1\nc 1 2\n".as_slice();
    let mut reader = VectorReader::from_reader(BufReader::with_capacity(1, text), "v.txt").unwrap();
    assert_eq!(reader.next().unwrap().unwrap().0, "a");
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none());
}

#[test]
fn the_binary_format_of_word2vec_is_read() {
    let mut bytes = b"3 2\n".to_vec();
    for (word, values) in [("the", [0.5f32, -1.0]), ("caf\u{e9}", [1e-3, 2.0]), ("the", [3.0, 4.0])] {
        bytes.extend(word.as_bytes());
        bytes.push(b' ');
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes.push(b'\n');
    }
    let vectors: Vec<_> = VectorReader::from_reader(&bytes[..], "v.bin").unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(vectors, [("the".into(), vec![0.5, -1.0]), ("caf\u{e9}".into(), vec![1e-3, 2.0])]);
    let cut = VectorReader::from_reader(&bytes[..bytes.len() - 4], "v.bin").unwrap().last().unwrap().unwrap_err();
    assert_eq!(cut.to_string(), "v.bin: expected 8 bytes of values, found the end of the file after 5");
    let less: Vec<u8> = bytes.iter().copied().map(|byte| if byte == b'3' { b'4' } else { byte }).collect();
    let less = VectorReader::from_reader(&less[..], "v.bin").unwrap().last().unwrap().unwrap_err();
    assert_eq!(less.to_string(), "v.bin: expected 4 vectors as in the header, found 3");
}

#[test]
fn archives_are_refused_by_their_name() {
    let error = VectorReader::from_reader(b"PK\x03\x04glove".as_slice(), "glove.zip").err().unwrap();
    assert_eq!(
        error.to_string(),
        "glove.zip: expected word vectors (text, also with gzip, or word2vec's binary format), found a binary file \
         (application/zip)"
    );
}
