//! Abbreviations: words whose final period may not end a sentence.

/// Titles and similar words that precede a name or a number.
const TITLES: &[&str] = &[
    "Adm", "Amb", "Attys", "Brig", "Capt", "Cardl", "Cmdr", "Col", "Cpl", "Cpt", "Dr", "Drs", "Fr", "Gen", "Gov",
    "Govs", "Hon", "Lt", "Maj", "Messrs", "Mlle", "Mme", "Mr", "Mrs", "Ms", "Msgr", "Mt", "Mts", "Pfc", "Pres", "Prof",
    "Pvt", "Rep", "Reps", "Rev", "Revs", "Sen", "Sens", "Sgt", "Spc", "St", "Ste", "Supt", "vs", "cf", "approx", "ca",
    "resp", "e.g", "i.e", "viz", "v", "Ald", "Asst", "Bp", "Cllr", "Cols", "Comdr", "Cong", "Cst", "Dep", "Det", "Ens",
    "Gens", "Insp", "Lts", "Profs", "Pte", "Secy", "Sgts", "Sra", "Srta", "Treas",
];

/// Abbreviations that may also end a sentence: months, states, companies, units.
const OTHERS: &[&str] = &[
    "Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Sept", "Oct", "Nov", "Dec", "Mon", "Tue", "Tues", "Wed",
    "Thu", "Thur", "Thurs", "Fri", "Sat", "Ala", "Alta", "Ariz", "Ark", "Calif", "Colo", "Conn", "Del", "Fla", "Ga",
    "Ill", "Ind", "Kan", "Kans", "Ky", "La", "Mass", "Md", "Mich", "Minn", "Miss", "Mo", "Mont", "Neb", "Nebr", "Nev",
    "Okla", "Ont", "Ore", "Pa", "Que", "Tenn", "Tex", "Va", "Vt", "Wash", "Wis", "Wyo", "Bros", "Co", "Corp", "Cos",
    "Inc", "Ltd", "Plc", "Assn", "Dept", "Dist", "Div", "Jr", "Sr", "Esq", "Ave", "Bldg", "Blvd", "Ft", "Hwy", "Rd",
    "Rte", "Sq", "Univ", "Atty", "Ph.D", "al", "etc", "ed", "eds", "est", "dept", "ft",
    // Courts, and parties of a case.
    "App", "Assoc", "Bankr", "Bd", "Cal", "Cas", "Chem", "Cir", "Civ", "Cl", "Comm", "Commn", "Commr", "Constr", "Crim",
    "Ct", "Cts", "Cty", "Educ", "Elec", "Envtl", "Exch", "Hosp", "Indus", "Ins", "Intl", "Mfg", "Mun", "Mut", "Natl",
    "Pharm", "Prods", "Ry", "Sch", "Serv", "Servs", "Sup", "Super", "Supp", "Sys", "Tel", "Transp", "Twp",
];

/// Words that are abbreviations only before a number.
const BEFORE_NUMBERS: &[&str] = &[
    "No", "Nos", "no", "nos", "Fig", "Figs", "fig", "figs", "Vol", "Vols", "vol", "vols", "pp", "p", "Art", "art",
    "Arts", "Ch", "ch", "Chap", "chap", "Eq", "Eqs", "eq", "eqs", "Ex", "Para", "para", "Ref", "Refs", "ref", "refs",
    "Sec", "sec", "Sect", "Suppl", "suppl", "Tab", "tab",
];

/// Words that often start a sentence and rarely a name.
#[rustfmt::skip]
const STARTERS: &[&str] = &[
    "A", "About", "According", "After", "Again", "All", "Also", "Although", "Among", "An", "And", "Another", "Any",
    "As", "At", "Because", "Before", "Besides", "Between", "Both", "But", "By", "Despite", "During", "Each", "Earlier",
    "Either", "Even", "Every", "Few", "Finally", "For", "From", "Furthermore", "He", "Hence", "Her", "Here", "His",
    "How", "However", "I", "If", "In", "Indeed", "Instead", "It", "Its", "Last", "Later", "Likewise", "Many",
    "Meanwhile", "More", "Moreover", "Most", "My", "Neither", "Nevertheless", "No", "Nor", "Not", "Now", "Of", "On",
    "Once", "One", "Only", "Or", "Other", "Others", "Our", "Over", "Patients", "Several", "She", "Since", "So", "Some",
    "Subsequently", "Such", "That", "The", "Their", "Then", "There", "Therefore", "These", "They", "This", "Those",
    "Though", "Three", "Thus", "To", "Today", "Two", "Under", "Until", "We", "Were", "What", "When", "Where", "Whereas",
    "While", "Who", "Why", "With", "Yet", "You",
];

/// The effect of a period after a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// The period ends the sentence.
    Word,
    /// The period may end the sentence; the next word decides.
    Abbreviation,
    /// A single capital letter; the words around it decide.
    Letter,
    /// The period ends the sentence unless a number follows.
    BeforeNumber,
    /// The period never ends the sentence.
    Title,
}

/// The kind of a word, given without its final period.
pub(super) fn kind(word: &[char]) -> Kind {
    const MAX_LENGTH: usize = 20;
    if word.len() > MAX_LENGTH {
        return Kind::Word;
    }
    let last: String = word.rsplit(|&char| char == '-').next().unwrap_or_default().iter().collect();
    let last = last.as_str();
    let mut chars = last.chars();
    let initial = matches!((chars.next(), chars.next()), (Some(char), None) if char.is_uppercase());
    if TITLES.contains(&last) {
        Kind::Title
    } else if BEFORE_NUMBERS.contains(&last) {
        Kind::BeforeNumber
    } else if initial {
        Kind::Letter
    } else if OTHERS.contains(&last) || is_dotted(last) {
        Kind::Abbreviation
    } else {
        Kind::Word
    }
}

/// Whether a word consists of single letters separated by periods, such as `U.S` or `a.m`.
fn is_dotted(word: &str) -> bool {
    word.contains('.') && word.split('.').all(|part| part.chars().count() == 1 && part.chars().all(char::is_alphabetic))
}

/// Whether a word, with `next` after it, probably starts a sentence.
pub(super) fn is_starter(word: &str, next: &str) -> bool {
    STARTERS.contains(&word) && (word, next) != ("Under", "Secretary")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_abbreviations_and_titles() {
        let kind = |word: &str| kind(&word.chars().collect::<Vec<_>>());
        for word in ["left", "1987", "", "me.too", "Inca", "U.S.U.S.U.S.U.S.U.S.U.S"] {
            assert_eq!(kind(word), Kind::Word, "{word}");
        }
        for word in ["U.S", "a.m", "b.i.d", "D-Calif", "R-S.C", "Inc", "Hosp"] {
            assert_eq!(kind(word), Kind::Abbreviation, "{word}");
        }
        for word in ["F", "É", "HLA-B"] {
            assert_eq!(kind(word), Kind::Letter, "{word}");
        }
        for word in ["Mrs", "e.g", "Gov", "v"] {
            assert_eq!(kind(word), Kind::Title, "{word}");
        }
        assert!(is_starter("The", "") && !is_starter("Kennedy", ""));
        assert!(is_starter("Under", "the") && !is_starter("Under", "Secretary"));
    }
}
