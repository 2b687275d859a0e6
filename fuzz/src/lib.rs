//! What the fuzz targets share.

use cman_data::{
    DataError, Format, OnError, OverlapPolicy, Reader, ReaderBuilder, Schema, Sentence, write_multihead, write_spert,
};

/// Records above this size are refused, so that the limit is met too.
const LIMIT: usize = 1 << 12;

fn read(options: &ReaderBuilder, bytes: &[u8]) -> Result<(Vec<Sentence>, Schema), DataError> {
    let mut reader: Reader<&[u8]> = options.from_reader(bytes, "input")?;
    let sentences = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((sentences, reader.into_parts().0))
}

/// Reads a corpus in every way. What was read keeps to its own types, and comes back the same from both formats.
pub fn corpus(bytes: &[u8], format: Format) {
    let options = ReaderBuilder::new().format(format).max_record_bytes(LIMIT);
    let skipped = read(&options.clone().on_error(OnError::Skip).overlap(OverlapPolicy::Drop), bytes);
    let Ok((sentences, schema)) = read(&options, bytes) else { return };
    assert!(
        sentences.is_empty() || matches!(skipped, Ok(_) | Err(DataError::NoSentence { .. })),
        "what is read whole can be read with bad records left out, unless all of them are"
    );
    for sentence in &sentences {
        assert!(!sentence.is_empty());
        assert!(sentence.entities.iter().all(|entity| schema.entities.id(&entity.kind).is_some()));
    }
    for (format, written) in [
        (Format::Spert, written(|out| write_spert(&sentences, out))),
        (Format::Multihead, written(|out| write_multihead(&sentences, out))),
    ] {
        // A format may refuse what it cannot express; the JSON has room for more than the limit of the input.
        let Some(written) = written else { continue };
        let options = ReaderBuilder::new().format(format);
        let (again, _) = read(&options, &written).expect("what was written can be read");
        assert_eq!(again.len(), sentences.len());
        for (again, sentence) in again.iter().zip(&sentences) {
            assert!(again.words().eq(sentence.words()));
            assert_eq!(again.entities.len(), sentence.entities.len());
            assert_eq!(again.relations.len(), sentence.relations.len());
        }
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> Result<(), DataError>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write(&mut out).ok().map(|()| out)
}
