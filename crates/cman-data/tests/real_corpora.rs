//! Tests on the real corpora: `data/conll04`, `data/ade` and `data/vectors` in the folder `CMAN_SHARED`. Tests without
//! their data are skipped.

#[path = "../../../tests/real_data/mod.rs"]
mod real_data;

use std::{collections::HashSet, fs, path::Path};

use cman_data::{
    Corpus, CorpusDir, OverlapPolicy, ReaderBuilder, Schema, Sentence, Statistics, Unrepresentable, VectorReader,
    Vocabularies, write_multihead, write_spert,
};
use real_data::real_data as data;

fn read(path: impl AsRef<Path>) -> Corpus {
    Corpus::read(path, &ReaderBuilder::new()).unwrap()
}

fn counts(path: impl AsRef<Path>) -> (usize, usize, usize) {
    let statistics = Statistics::of(&read(path));
    (statistics.sentences, statistics.entities, statistics.relations)
}

fn parse(bytes: &[u8]) -> Vec<Sentence> {
    ReaderBuilder::new().from_reader(bytes, "written").unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn conll04_has_the_expected_counts_in_both_releases() {
    let Some(folder) = data("conll04") else { return };
    let multihead = CorpusDir::find(folder.join("multihead")).unwrap();
    assert_eq!(counts(multihead.train.as_ref().unwrap()), (910, 3393, 1273));
    assert_eq!(counts(multihead.dev.as_ref().unwrap()), (243, 877, 353));
    assert_eq!(counts(multihead.test.as_ref().unwrap()), (288, 1079, 422));
    let spert = CorpusDir::find(folder.join("spert")).unwrap();
    assert_eq!(counts(spert.train.as_ref().unwrap()), (922, 3377, 1283));
    assert_eq!(counts(spert.dev.as_ref().unwrap()), (231, 893, 343));
    assert_eq!(counts(spert.test.as_ref().unwrap()), (288, 1079, 422));
    assert_eq!(counts(&spert.others[0]), (1153, 4270, 1626));

    let train = read(multihead.train.unwrap());
    assert_eq!(train.report.orphan_inside_tags, 2);
    let longest = |path| Statistics::of(&read(path)).sentence_lengths.max;
    assert_eq!([multihead.dev, multihead.test].map(|path| longest(path.unwrap())), [114, 119]);
    let (mut kinds, mut sizes) = (HashSet::new(), HashSet::new());
    for file in spert.others.iter().chain(&spert.test) {
        let corpus = read(file);
        let statistics = Statistics::of(&corpus);
        kinds.extend(statistics.relation_types.iter().map(|t| (t.name.clone(), t.count)));
        sizes.insert(statistics.sentences_without_relations);
        assert_eq!(statistics.overlapping_sentences, 0);
        assert_eq!(corpus.report.to_string(), format!("{0} sentences from {0} records", statistics.sentences));
    }
    assert_eq!(sizes, HashSet::from([0]));
    let total = |name: &str| kinds.iter().filter(|(kind, _)| kind == name).map(|(_, count)| count).sum::<usize>();
    assert_eq!(["Live_In", "OrgBased_In", "Located_In", "Work_For", "Kill"].map(total), [521, 452, 406, 401, 268]);
}

#[test]
fn types_files_keep_their_order_and_match_the_corpora() {
    let (Some(conll04), Some(ade)) = (data("conll04/spert"), data("ade")) else { return };
    let folder = CorpusDir::find(conll04).unwrap();
    let schema = Schema::read(folder.types.unwrap()).unwrap();
    assert_eq!(schema.entities.names(), ["Loc", "Org", "Peop", "Other"]);
    assert_eq!(schema.relations.names(), ["Work_For", "Kill", "OrgBased_In", "Live_In", "Located_In"]);
    let options = ReaderBuilder::new().schema(schema.clone());
    let train = Corpus::read(folder.train.unwrap(), &options).unwrap();
    assert_eq!(train.schema, schema);
    let schema = Schema::read(CorpusDir::find(&ade).unwrap().types.unwrap()).unwrap();
    assert_eq!(
        (schema.entities.names(), schema.relations.names()),
        (["Drug".to_owned(), "Adverse-Effect".to_owned()].as_slice(), ["Adverse-Effect".to_owned()].as_slice())
    );
    assert!(Corpus::read(ade.join("ade_full.json"), &options).is_err());
}

#[test]
fn ade_has_the_expected_counts_with_and_without_overlaps() {
    let Some(folder) = data("ade") else { return };
    let full = Corpus::read(folder.join("ade_full.json"), &ReaderBuilder::new()).unwrap();
    let statistics = Statistics::of(&full);
    assert_eq!((statistics.sentences, statistics.entities, statistics.relations), (4272, 10839, 6821));
    let types: Vec<_> = statistics.entity_types.iter().map(|t| (t.name.as_str(), t.count)).collect();
    assert_eq!(types, [("Adverse-Effect", 5776), ("Drug", 5063)]);
    assert_eq!(statistics.overlapping_sentences, 119);
    assert_eq!((statistics.overlapping_argument_sentences, statistics.overlapping_argument_relations), (119, 120));
    assert_eq!(statistics.shared_last_token_sentences, 5);
    assert_eq!(full.report.overlapping_sentences, 119);

    let drop = ReaderBuilder::new().overlap(OverlapPolicy::Drop);
    let dropped = Corpus::read(folder.join("ade_full.json"), &drop).unwrap();
    let statistics = Statistics::of(&dropped);
    assert_eq!((statistics.sentences, statistics.entities, statistics.relations), (4153, 10477, 6552));
    assert_eq!(statistics.unrepresentable, Unrepresentable::default());
    assert_eq!((dropped.report.records, dropped.report.dropped_overlapping), (4272, 119));

    let corpus = CorpusDir::find(&folder).unwrap();
    assert_eq!((corpus.train, corpus.dev, corpus.test, corpus.others.len()), (None, None, None, 21));
    let mut tests = Vec::new();
    for fold in 0..10 {
        let train = read(folder.join(format!("ade_split_{fold}_train.json")));
        let test = read(folder.join(format!("ade_split_{fold}_test.json")));
        let (a, b) = (Statistics::of(&train), Statistics::of(&test));
        assert_eq!(
            (a.sentences + b.sentences, a.entities + b.entities, a.relations + b.relations),
            (4272, 10839, 6821),
            "fold {fold}"
        );
        assert_eq!(a.overlapping_argument_relations + b.overlapping_argument_relations, 120);
        tests.extend(test.sentences);
    }
    tests.sort_by_key(|sentence| sentence.id.as_str().parse::<usize>().unwrap());
    assert_eq!(tests, full.sentences);
}

#[test]
fn spert_files_survive_a_round_trip() {
    let (Some(conll04), Some(ade)) = (data("conll04/spert"), data("ade")) else { return };
    for path in ["conll04_train.json", "conll04_dev.json", "conll04_test.json"]
        .map(|name| conll04.join(name))
        .into_iter()
        .chain([ade.join("ade_full.json")])
    {
        let sentences = read(&path).sentences;
        let mut bytes = Vec::new();
        write_spert(&sentences, &mut bytes).unwrap();
        assert_eq!(parse(&bytes), sentences);
        let [before, after]: [serde_json::Value; 2] =
            [fs::read(&path).unwrap(), bytes].map(|bytes| serde_json::from_slice(&bytes).unwrap());
        assert!(before == after, "{}", path.display());
    }
}

#[test]
fn multihead_files_survive_a_round_trip() {
    let Some(folder) = data("conll04/multihead") else { return };
    for (name, orphans) in [("train.txt", 2), ("dev.txt", 0), ("test.txt", 0)] {
        let before = fs::read_to_string(folder.join(name)).unwrap();
        let corpus = read(folder.join(name));
        assert_eq!(corpus.report.orphan_inside_tags, orphans);
        let mut bytes = Vec::new();
        write_multihead(&corpus, &mut bytes).unwrap();
        assert_eq!(parse(&bytes), corpus.sentences);
        let after = String::from_utf8(bytes).unwrap();
        assert_eq!(before.lines().count(), after.lines().count());
        let changed: Vec<_> = before.lines().zip(after.lines()).filter(|(a, b)| a != b).collect();
        assert!(changed.iter().all(|(a, b)| a.replacen("\tI-", "\tB-", 1) == *b), "{changed:?}");
        assert_eq!(changed.len(), orphans);
    }
}

#[test]
fn conll04_is_equal_in_both_formats() {
    let Some(folder) = data("conll04") else { return };
    let spert = read(folder.join("spert/conll04_test.json")).sentences;
    let mut bytes = Vec::new();
    write_multihead(&spert, &mut bytes).unwrap();
    let tables = parse(&bytes);
    assert_eq!((spert.len(), tables.len()), (288, 288));
    for (spert, table) in spert.iter().zip(tables) {
        assert_eq!((&spert.tokens, &spert.id), (&table.tokens, &table.id));
        let annotation = |sentence: &Sentence| {
            let entity = |i: usize| sentence.entities[i].clone();
            let relations =
                sentence.relations.iter().map(|r| (r.kind.clone(), entity(r.head), entity(r.tail))).collect();
            (sentence.entities.iter().cloned().collect::<HashSet<_>>(), relations)
        };
        let (a, b): ((_, HashSet<_>), (_, HashSet<_>)) = (annotation(spert), annotation(&table));
        assert_eq!((a.0, a.1), (b.0, b.1));
    }
    let ids = |sentences: &[Sentence]| sentences.iter().map(|s| s.id.clone()).collect::<HashSet<_>>();
    assert_eq!(ids(&spert), ids(&read(folder.join("multihead/test.txt")).sentences));
}

#[test]
fn encoding_counts_all_unrepresentable_annotation() {
    let (Some(conll04), Some(ade)) = (data("conll04/multihead/train.txt"), data("ade/ade_full.json")) else { return };
    for (path, overlaps) in [(conll04, false), (ade, true)] {
        let corpus = read(path);
        let vocabularies = Vocabularies::build(&corpus.sentences, true);
        let (mut entities, mut relations, mut lost) = (0, 0, Unrepresentable::default());
        for sentence in &corpus.sentences {
            let encoded = vocabularies.encode(sentence, &corpus.schema).unwrap();
            assert!(encoded.words.iter().chain(encoded.chars.iter().flatten()).all(|&id| id > 1));
            entities += encoded.tags.iter().filter(|&&tag| tag % 2 == 1).count();
            relations += encoded.relations.len();
            lost.entities += encoded.unrepresentable.entities;
            lost.relations += encoded.unrepresentable.relations;
        }
        let statistics = Statistics::of(&corpus);
        assert_eq!(lost, statistics.unrepresentable);
        assert_eq!(entities + lost.entities, statistics.entities);
        assert_eq!(relations + lost.relations, statistics.relations);
        assert_eq!(lost.relations > 0, overlaps);
    }
}

#[test]
fn glove_has_the_expected_coverage() {
    let (Some(vectors), Some(conll04), Some(ade)) =
        (data("vectors/glove.6B.50d.union.txt"), data("conll04/spert"), data("ade/ade_full.json"))
    else {
        return;
    };
    let mut reader = VectorReader::from_path(vectors).unwrap();
    assert_eq!(reader.width(), 50);
    let words: HashSet<String> = reader.by_ref().map(|vector| vector.unwrap().0).collect();
    assert_eq!((words.len(), reader.report().words, reader.report().duplicates), (12691, 12691, 0));
    let covered = |sentences: &[Sentence]| {
        let tokens: Vec<String> = sentences.iter().flat_map(Sentence::words).map(str::to_lowercase).collect();
        let in_vocabulary = tokens.iter().filter(|&word| words.contains(word)).count();
        (1000.0 * in_vocabulary as f64 / tokens.len() as f64).round() / 10.0
    };
    let conll04: Vec<Sentence> = ["conll04_train_dev.json", "conll04_test.json"]
        .iter()
        .flat_map(|name| read(conll04.join(name)).sentences)
        .collect();
    assert_eq!((covered(&conll04), covered(&read(ade).sentences)), (88.0, 75.6));
}
