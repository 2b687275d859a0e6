//! Shared code of the fuzz targets.

use cman_data::{
    DataError, Format, OnError, OverlapPolicy, Reader, ReaderBuilder, Schema, Sentence, write_multihead, write_spert,
};

/// Maximum record size, low enough that inputs exceed it.
const LIMIT: usize = 1 << 12;

fn read(options: &ReaderBuilder, bytes: &[u8]) -> Result<(Vec<Sentence>, Schema), DataError> {
    let mut reader: Reader<&[u8]> = options.from_reader(bytes, "input")?;
    let sentences = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((sentences, reader.into_parts().0))
}

/// Reads a corpus with all options. The sentences have only types of the schema and survive a round trip in both formats.
pub fn corpus(bytes: &[u8], format: Format) {
    let options = ReaderBuilder::new().format(format).max_record_bytes(LIMIT);
    let skipped = read(&options.clone().on_error(OnError::Skip).overlap(OverlapPolicy::Drop), bytes);
    let Ok((sentences, schema)) = read(&options, bytes) else { return };
    assert!(
        sentences.is_empty() || matches!(skipped, Ok(_) | Err(DataError::NoSentence { .. })),
        "a valid corpus is also valid with `OnError::Skip`, unless all sentences are dropped"
    );
    for sentence in &sentences {
        assert!(!sentence.is_empty());
        assert!(sentence.entities.iter().all(|entity| schema.entities.id(&entity.kind).is_some()));
    }
    for (format, written) in [
        (Format::Spert, written(|out| write_spert(&sentences, out))),
        (Format::Multihead, written(|out| write_multihead(&sentences, out))),
    ] {
        // A format may not express a sentence. The written JSON may exceed the limit of the input.
        let Some(written) = written else { continue };
        let options = ReaderBuilder::new().format(format);
        let (reread, _) = read(&options, &written).expect("written corpora are valid");
        assert_eq!(reread.len(), sentences.len());
        for (reread, sentence) in reread.iter().zip(&sentences) {
            assert!(reread.words().eq(sentence.words()));
            assert_eq!(reread.entities.len(), sentence.entities.len());
            assert_eq!(reread.relations.len(), sentence.relations.len());
        }
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> Result<(), DataError>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write(&mut out).ok().map(|()| out)
}
