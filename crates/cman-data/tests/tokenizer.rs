//! The tokenizer and the sentence splitter: single rules, invariants and the real corpora.

#[allow(dead_code)]
#[path = "../examples/tokenizer_agreement.rs"]
mod agreement;
#[path = "../../../tests/real_data/mod.rs"]
mod real_data;

use cman_data::{TokenizerConfig, Vocabularies, WordRules, sentences_from_text, split_sentences, tokenize};
use proptest::prelude::*;

fn words(config: TokenizerConfig, text: &str) -> String {
    config.tokenize(text).into_iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
}

fn sentences(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    split_sentences(text).into_iter().map(|range| chars[range].iter().collect()).collect()
}

#[test]
fn words_in_the_style_of_conll04() {
    for (text, expected) in [
        ("Ann left.", "Ann left ."),
        ("Ann left", "Ann left"),
        ("(AP) -- \"No!\" he said; why?", "( AP ) -- \" No ! \" he said ; why ?"),
        ("``We go,'' she said.", "` ` We go , ' ' she said ."),
        ("Mr. Ray, of St. Paul, Minn., met Sen. Lee.", "Mr. Ray , of St. Paul , Minn. , met Sen. Lee ."),
        ("U.S. troops left the U.S.", "U.S. troops left the U.S ."),
        ("He works (at Acme Inc.) now.", "He works ( at Acme Inc. ) now ."),
        ("\"He left.\"", "\" He left . \""),
        ("A 50-to 70-mph, half-inch-thick U.S.-led wave", "A 50-to 70-mph , half-inch-thick U.S.-led wave"),
        ("It costs $1.5 or 10,000 at 10:40 a.m. today", "It costs $1.5 or 10 , 000 at 10 : 40 a.m. today"),
        ("Ray's and O'Brien's won't", "Ray 's and O 'Brien 's won 't"),
        ("the workers' union of the '50s", "the workers ' union of the '50s"),
        ("Ray’s “best” — ever…", "Ray ’s “ best ” — ever …"),
        ("wait--what ... and so on...", "wait -- what ... and so on ..."),
        ("5% of -3 and .38-caliber", "5 % of -3 and .38-caliber"),
        ("see http://a.b/c,d and a-b@c.de.", "see http://a.b/c,d and a-b@c.de ."),
        ("Bonn,Berlin and/or and he/she", "Bonn , Berlin and/or and he/she"),
        (".", "."),
        ("' -", "' -"),
        ("", ""),
        (" \n\t\u{feff}\u{0}", ""),
    ] {
        assert_eq!(words(TokenizerConfig::conll04(), text), expected, "{text:?}");
    }
}

#[test]
fn words_in_the_style_of_ade() {
    for (text, expected) in [
        ("Drug-induced (CS)-treated", "Drug - induced ( CS ) - treated"),
        ("a 65-year-old and IL-2 for 3-5 days", "a 65-year - old and IL-2 for 3 - 5 days"),
        ("1,000 mg/day at 10:40 and/or pre- and post-", "1,000 mg / day at 10:40 and/or pre - and post -"),
    ] {
        assert_eq!(words(TokenizerConfig::ade(), text), expected, "{text:?}");
    }
}

#[test]
fn words_and_characters_of_scripts_without_spaces() {
    for (text, expected) in [
        ("王芳在青山银行工作。", "王 芳 在 青 山 银 行 工 作 。"),
        ("她2020年加入OpenAI（北京），GPT-4涨3.5%！", "她 2020 年 加 入 OpenAI （ 北 京 ） ， GPT-4 涨 3.5 % ！"),
        ("他说：「《红楼梦》……」", "他 说 ： 「 《 红 楼 梦 》 … … 」"),
        ("　王芳　来自U.S.。", "王 芳 来 自 U.S. 。"),
        ("青山,海城.", "青 山 , 海 城 ."),
        ("東京のカフェーです。ｶﾞ｡", "東 京 の カ フ ェ ー で す 。 ｶﾞ ｡"),
        ("か\u{3099}く", "か\u{3099} く"),
        ("น้ำรักกำ 12 ๑๒", "น้ำ รั ก กำ 12 ๑๒"),
        ("好👩\u{200D}🚀吧", "好 👩\u{200D}🚀 吧"),
        ("Ann's half-inch of 1,000", "Ann 's half-inch of 1 , 000"),
    ] {
        assert_eq!(words(TokenizerConfig::Characters, text), expected, "{text:?}");
    }
    assert_eq!(words(TokenizerConfig::conll04(), "「青山银行」在海城。"), "「 青山银行 」 在海城 。");
}

#[test]
fn sentence_boundaries_without_spaces() {
    for expected in [
        ["王芳在青山银行工作。", "李雷住在海城，他是教师。", "青山银行总部位于海城！"].as_slice(),
        &["他说：「我来了。」", "她走了。", "“你好！”", "他说。", "『是吗？』", "李雷问。"],
        &["他买了iPhone。", "iPhone很贵？", "（是的。）", "OpenAI说。"],
        &["我在U.S.工作。", "他是Dr.王。", "版本2.", "他走了.", "她来了。"],
        &["「はい。」と田中さんは言った。", "次です｡", "終わり．", "はい"],
    ] {
        assert_eq!(sentences(&expected.concat()), expected);
        assert_eq!(sentences(&expected.join("　")).concat(), expected.concat());
    }
}

#[test]
fn sentence_boundaries_after_abbreviations() {
    for expected in [
        ["The SEC and U.S. Marshals met.", "A U.S. Attorney and U.S. District Judge Poole came on Jan. 4."].as_slice(),
        &["St. Mary's Hosp. v. Lund Corp. went to the Ninth Cir. Court.", "The Tex. Crim. App. Judge left."],
        &["Brown v. Bd. of Educ. of Topeka stands.", "Doe vs. Bolton too."],
        &["Asst. U.S. Atty. Cole met U.S. Under Secretary Day in the U.S.", "Under the law he may."],
        &["It grew (cf. Fig. 3); see Fig. S1, Vol. II and Eq. 4.", "See Sec. 5."],
        &["He took 5 mg b.i.d. or q.d. for days.", "She got i.v. Benadryl and p.o. Tylenol t.i.d.", "The pain went."],
    ] {
        assert_eq!(sentences(&expected.join(" ")), expected);
    }
}

#[test]
fn a_letter_after_a_term_ends_a_sentence() {
    for expected in [
        ["It binds NF-kappa B.", "Cyclosporin blocks it."].as_slice(),
        &["They lacked vitamin D.", "Patients improved with vitamins A and C.", "Treatment went on."],
        &["She had hepatitis B.", "Liver tests failed.", "He got cyclosporin A.", "Kidney damage followed."],
        &["It is protein kinase C.", "Inhibitors of HLA-B.", "Alleles differ."],
        &["John B. Smith, J. Edgar Hoover and attorney F. Lee Bailey met Franklin D. Roosevelt.", "Capt. A. Ray ran."],
        &["It is by J. and R. Smith.", "His cousin C. Ray and JOHN F. KENNEDY came."],
    ] {
        assert_eq!(sentences(&expected.join(" ")), expected);
    }
}

#[test]
fn sentence_boundaries() {
    for expected in [
        ["He left.", "She stayed."].as_slice(),
        &["\"Why?\" he asked.", "\"Go!\"", "He went."],
        &["Mrs. Lee met Gov. Ray in Washington, D.C., on Nov. 22.", "John F. Kennedy spoke."],
        &["He lives in the U.S.", "The U.S. Senate met at 3 a.m. EST today."],
        &["She left at 3 p.m.", "He stayed."],
        &["Is it 3.5?", "Yes."],
        &["Is it?", "No.", "Ann left the No. 2 Army.", "No. 5 won.", "It rained (a lot).", "Then it stopped."],
        &["1. This is a list.", "2. It goes on."],
        &["One line\r\nwraps here.", "Next."],
        &["The levels of vitamin C. rose and so on...", "But then"],
        &["It ended. _ A dash came. - Another."],
    ] {
        assert_eq!(sentences(&expected.join(" ")), expected);
    }
    assert_eq!(sentences("A title\n\na text\r\n \t\r\nand more"), ["A title", "a text", "and more"]);
    assert!(sentences(" \n\n \t").is_empty());
}

#[test]
fn token_ranges_are_relative_to_the_sentence() {
    let split = sentences_from_text("  Zoë lives in Köln. \n\n 'Ünal' too");
    assert_eq!(split.len(), 2);
    assert_eq!((split[0].offset, split[1].offset), (2, 24));
    let second = &split[1].sentence;
    assert_eq!((second.id.as_str(), second.text.as_deref()), ("2", Some("'Ünal' too")));
    assert_eq!(second.words().collect::<Vec<_>>(), ["'", "Ünal", "'", "too"]);
    assert_eq!(second.tokens[1].chars, Some(1..5));
    assert_eq!(second.span_text(0..3), "'Ünal'");
}

#[test]
fn tokenization_agrees_with_the_real_corpora() {
    let (Some(folder), Some(_), Some(_)) =
        (real_data::real_data(""), real_data::real_data("conll04"), real_data::real_data("ade"))
    else {
        return;
    };
    let least = [(0.995, 0.998, 0.964), (0.98, 0.994, 0.961), (0.999, 0.999, 0.998)];
    let measured = agreement::measure(&folder).unwrap();
    assert_eq!(measured.len(), least.len());
    for (corpus, (tokens, boundaries, starts)) in measured.iter().zip(least) {
        println!("{corpus}");
        assert!(corpus.tokens.f1() > tokens && corpus.boundaries.f1() > boundaries, "{corpus}");
        assert!(corpus.sentence_starts.f1() > starts, "{corpus}");
    }
}

proptest! {
    #[test]
    fn tokens_are_the_text_without_white_space(
        text in prop_oneof![
            "\\PC{0,40}",
            r#"[ab.,'"\-()U\n 0-9:/%]{0,40}"#,
            "[a3. 王あ。「」กำ่😀\u{301}\u{3000}]{0,40}",
            "(?s).{0,40}",
        ],
        rules in prop::option::of((any::<bool>(), any::<bool>())),
    ) {
        let words = |(split_hyphens, split_numbers)| TokenizerConfig::Words(WordRules { split_hyphens, split_numbers });
        let config = rules.map_or(TokenizerConfig::Characters, words);
        let chars: Vec<char> = text.chars().collect();
        let is_space = |c: &char| c.is_whitespace() || c.is_control() || *c == '\u{feff}';
        let tokens = config.tokenize(&text);
        let mut at = 0;
        for token in &tokens {
            let range = token.chars.clone().unwrap();
            prop_assert!(at <= range.start && range.start < range.end);
            prop_assert!(chars[at..range.start].iter().all(is_space));
            prop_assert_eq!(&chars[range.clone()].iter().collect::<String>(), &token.text);
            prop_assert!(!token.text.chars().any(|char| is_space(&char)));
            at = range.end;
        }
        prop_assert!(chars[at..].iter().all(is_space));
        let sentences = config.sentences(&text);
        let count: usize = sentences.iter().map(|raw| raw.sentence.len()).sum();
        prop_assert_eq!(count, tokens.len());
        for raw in &sentences {
            prop_assert!(Vocabularies::default().encode_tokens(&raw.sentence).is_ok());
            for token in &raw.sentence.tokens {
                let range = token.chars.clone().unwrap();
                let whole = &chars[raw.offset + range.start..raw.offset + range.end];
                prop_assert_eq!(&whole.iter().collect::<String>(), &token.text);
            }
        }
    }

    #[test]
    fn separate_words_are_not_split(words in prop::collection::vec("[a-z]{1,6}", 1..8)) {
        let tokens: Vec<String> = tokenize(&words.join(" ")).into_iter().map(|token| token.text).collect();
        prop_assert_eq!(tokens, words);
    }
}
