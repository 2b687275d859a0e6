//! Invalid multi-head tables, with their error messages.

use cman_data::{DataError, Entity, Format, LabelSet, OnError, ReaderBuilder, Relation, Report, Schema, Sentence};

fn read(builder: &ReaderBuilder, bytes: impl AsRef<[u8]>) -> Result<(Vec<Sentence>, Report), DataError> {
    let mut reader = builder.from_reader(bytes.as_ref(), "a.txt")?;
    let sentences = reader.by_ref().collect::<Result<_, _>>()?;
    Ok((sentences, reader.into_parts().1))
}

fn message(table: impl AsRef<[u8]>) -> String {
    read(&ReaderBuilder::new(), table).unwrap_err().to_string()
}

/// A valid sentence of three lines, then a sentence with these rows.
fn table(rows: &[&str]) -> String {
    format!("#doc 1\n0\tx\tO\t['N']\t[0]\n\n#doc 2\n{}\n", rows.join("\n"))
}

#[test]
fn invalid_rows() {
    for (row, expected) in [
        ("0\ta\tO\t['N']", "expected 5 tab-separated columns, found 4"),
        ("0\ta\tb\tO\t['N']\t[0]", "expected 5 tab-separated columns, found 6"),
        ("0 a O ['N'] [0]", "expected 5 tab-separated columns, found 1"),
        ("1\ta\tO\t['N']\t[1]", r#"index: expected 0, found "1""#),
        ("-1\ta\tO\t['N']\t[0]", r#"index: expected 0, found "-1""#),
        ("+0\ta\tO\t['N']\t[0]", r#"index: expected 0, found "+0""#),
        ("\ta\tO\t['N']\t[0]", r#"index: expected 0, found """#),
        ("99999999999999999999\ta\tO\t['N']\t[0]", r#"index: expected 0, found "99999999999999999999""#),
        ("0\ta\tb\t['N']\t[0]", r#"tag: expected `O`, `B-type` or `I-type`, found "b""#),
        ("0\ta\tB-\t['N']\t[0]", r#"tag: expected `O`, `B-type` or `I-type`, found "B-""#),
        ("0\ta\tE-Loc\t['N']\t[0]", r#"tag: expected `O`, `B-type` or `I-type`, found "E-Loc""#),
        ("0\ta\tO\tN\t[0]", r#"relations: expected a list such as ['Kill', 'Live_In'], found "N""#),
        ("0\ta\tO\t[]\t[]", r#"relations: expected a list such as ['Kill', 'Live_In'], found "[]""#),
        ("0\ta\tO\t['N\t[0]", r#"relations: expected a list such as ['Kill', 'Live_In'], found "['N""#),
        ("0\ta\tO\t[\"N\"]\t[0]", r#"relations: expected a list such as ['Kill', 'Live_In'], found "[\"N\"]""#),
        ("0\ta\tO\t['']\t[0]", r#"relations: expected a list such as ['Kill', 'Live_In'], found "['']""#),
        ("0\ta\tO\t['a' 'b']\t[0]", r#"relations: expected a list such as ['Kill', 'Live_In'], found "['a' 'b']""#),
        ("0\ta\tO\t['N']\t0", r#"heads: expected a list of token indices such as [3, 7], found "0""#),
        ("0\ta\tO\t['N']\t[-1]", r#"heads: expected a list of token indices such as [3, 7], found "[-1]""#),
        ("0\ta\tO\t['N']\t[00]", r#"heads: expected a list of token indices such as [3, 7], found "[00]""#),
        ("0\ta\tO\t['N']\t[1e30]", r#"heads: expected a list of token indices such as [3, 7], found "[1e30]""#),
        (
            "0\ta\tO\t['N']\t[99999999999999999999]",
            r#"heads: expected a list of token indices such as [3, 7], found "[99999999999999999999]""#,
        ),
        ("0\ta\tO\t['R', 'S']\t[0]", "heads: expected 2 (one per relation), found 1"),
        ("0\ta\tO\t['N']\t[1]", r#"relations: expected ['N'] alone, with [0], found "['N'] with [1]""#),
        ("0\ta\tO\t['N', 'R']\t[0, 1]", r#"relations: expected ['N'] alone, with [0], found "['N', 'R'] with [0, 1]""#),
        ("0\t\tO\t['N']\t[0]", "tokens[0]: expected a non-empty token, found \"\""),
        ("0\t\0\tO\t['N']\t[0]", r#"tokens[0]: expected text without null characters, found "\0""#),
    ] {
        let prefix =
            if expected.starts_with("expected") { "a.txt: record 2, line 5: " } else { "a.txt: record 2, line 5, " };
        assert_eq!(message(table(&[row])), format!("{prefix}{expected}"), "{row}");
    }
}

#[test]
fn inconsistent_rows() {
    const LOC: &str = "0\ta\tB-Loc\t['N']\t[0]";
    for (rows, expected) in [
        (vec![], "line 4, tokens: expected at least one token, found none"),
        (vec![LOC, "0\tb\tO\t['N']\t[1]"], r#"line 6, index: expected 1, found "0""#),
        (
            vec![LOC, "1\tb\tI-Loc\t['N']\t[1]", "2\tc\tB-Loc\t['R']\t[0]"],
            r#"line 7, heads: expected the last token of an entity, found token 0, "a""#,
        ),
        (
            vec!["0\ta\tB-Loc\t['R']\t[2]", "1\tb\tI-Loc\t['N']\t[1]", "2\tc\tB-Loc\t['N']\t[2]"],
            r#"line 5, relations: expected the last token of an entity, found token 0, "a""#,
        ),
        (
            vec![LOC, "1\tb\tO\t['R']\t[0]"],
            r#"line 6, relations: expected the last token of an entity, found token 1, "b""#,
        ),
        (
            vec!["0\ta\tB-Loc\t['R']\t[7]"],
            "line 5, heads: expected the last token of an entity, found token 7 in a sentence of 1 tokens",
        ),
        (vec!["0\ta\tB-Loc\t['R']\t[0]"], "line 5, relations[0].tail: expected an entity other than the head, found 0"),
    ] {
        assert_eq!(message(table(&rows)), format!("a.txt: record 2, {expected}"), "{rows:?}");
    }
    let schema = Schema { entities: LabelSet::from_iter(["Loc"]), relations: LabelSet::from_iter(["R"]) };
    let fixed = ReaderBuilder::new().schema(schema);
    let unknown = table(&[LOC, "1\tb\tB-Org\t['N']\t[1]"]);
    assert_eq!(
        read(&fixed, unknown).unwrap_err().to_string(),
        r#"a.txt: record 2, line 6, entities[1].type: expected one of the types Loc, found "Org""#
    );
    let unknown = table(&[LOC, "1\tb\tB-Loc\t['S']\t[0]"]);
    assert_eq!(
        read(&fixed, unknown).unwrap_err().to_string(),
        r#"a.txt: record 2, line 6, relations[0].type: expected one of the types R, found "S""#
    );
}

#[test]
fn invalid_headers() {
    let row = "0\tx\tO\t['N']\t[0]\n";
    for header in ["#doc", "#doc ", "#document 3", "# doc 3"] {
        assert_eq!(
            message(format!("{header}\n{row}")),
            format!("a.txt: record 1, line 1: expected a header such as `#doc 17`, found {header:?}")
        );
    }
    let named = ReaderBuilder::new().format(Format::Multihead);
    assert_eq!(
        read(&named, row).unwrap_err().to_string(),
        r#"a.txt: record 1, line 1: expected a header such as `#doc 17`, found "0\tx\tO\t['N']\t[0]""#
    );
    assert_eq!(read(&named, "\n\n").unwrap_err().to_string(), "a.txt: no sentences (0 records read)");
    let (sentences, _) = read(&named, format!("\u{FEFF}\n#doc\ta  b \n{row}")).unwrap();
    assert_eq!(sentences[0].id, "a  b");
}

#[test]
fn all_line_ends_and_blank_lines_are_accepted() {
    let unix = "#doc 1\n0\ta\tB-Loc\t['R']\t[1]\n1\tb\tB-Loc\t['N']\t[1]\n#doc 2\n0\tc\tO\t['N']\t[0]\n";
    let sentences = read(&ReaderBuilder::new(), unix).unwrap().0;
    let windows = unix.replace('\n', "\r\n\r\n");
    assert_eq!(read(&ReaderBuilder::new(), format!("\u{FEFF}{windows}")).unwrap().0, sentences);
    assert_eq!(read(&ReaderBuilder::new(), unix.trim_end()).unwrap().0, sentences);
    assert_eq!(sentences[0].entities, [Entity::new("Loc", 0..1), Entity::new("Loc", 1..2)]);
    assert_eq!(sentences[0].relations, [Relation::new("R", 0, 1)]);
}

#[test]
fn an_entity_may_start_with_an_inside_tag() {
    let rows =
        ["0\ta\tI-Loc\t['N']\t[0]", "1\tb\tI-Loc\t['N']\t[1]", "2\tc\tI-Org\t['R']\t[1]", "3\td\tB-A-B\t['N']\t[3]"];
    let (sentences, report) = read(&ReaderBuilder::new(), table(&rows)).unwrap();
    assert_eq!(sentences[1].entities, [Entity::new("Loc", 0..2), Entity::new("Org", 2..3), Entity::new("A-B", 3..4)]);
    assert_eq!(sentences[1].relations, [Relation::new("R", 1, 0)]);
    assert_eq!(report.orphan_inside_tags, 2);
}

#[test]
fn invalid_utf8_and_long_lines() {
    let bytes = b"#doc 1\n0\tx\tO\t['N']\t[0]\n#doc 2\n0\t\xFF\tO\t['N']\t[0]\n";
    assert_eq!(message(bytes), "a.txt: record 2, line 4, column 3: not UTF-8");
    let long = table(&[&format!("0\t{}\tO\t['N']\t[0]", "x".repeat(1000))]);
    let builder = ReaderBuilder::new().max_record_bytes(100);
    assert_eq!(
        read(&builder, &long).unwrap_err().to_string(),
        "a.txt: record 2, line 5: longer than the limit of 100 bytes"
    );
    let rows: Vec<String> = (0..50).map(|i| format!("{i}\tx\tO\t['N']\t[{i}]")).collect();
    let long = table(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(read(&builder, &long).unwrap_err().to_string(), "a.txt: record 2: longer than the limit of 100 bytes");
    let (_, report) = read(&builder.on_error(OnError::Skip), &long).unwrap();
    assert_eq!((report.records, report.sentences, report.skipped), (2, 1, 1));
}

#[test]
fn an_invalid_record_is_skipped_to_the_next_header() {
    let good = "0\tx\tO\t['N']\t[0]";
    let skip =
        ReaderBuilder::new().on_error(OnError::Skip).format(Format::Multihead).max_record_bytes(60).all_messages();
    let file = [
        b"stray\n\xFF\nstray\n#doc\n".as_slice(),
        format!("{good}\n#doc 1\n{good}\n#doc 2\nbad\n\n{good}\n").as_bytes(),
        b"\xFF\n#doc 3\n0\t\xFF\n#doc 4\n#doc 5\n",
        format!("{good}\n#doc 6\n{}\n#doc 7\n{good}\n#doc", "x".repeat(100)).as_bytes(),
    ]
    .concat();
    let (sentences, report) = read(&skip, file).unwrap();
    assert_eq!(sentences.iter().map(|sentence| sentence.id.as_str()).collect::<Vec<_>>(), ["1", "5", "7"]);
    let messages: Vec<_> = report.messages.iter().map(|message| message.split(": ").nth(1).unwrap()).collect();
    assert_eq!(
        messages,
        [
            "record 1, line 1",
            "record 2, line 4",
            "record 4, line 9",
            "record 5, line 14, column 3",
            "record 6, line 15, tokens",
            "record 8, line 19",
            "record 10, line 22"
        ]
    );
    assert_eq!((report.records, report.skipped), (10, 7));
}
