//! A capital letter before a period: an initial (`John B. Smith`), or the last part of a term (`NF-kappa B`).

/// Words that a letter follows, in any case.
#[rustfmt::skip]
const LETTERED: &[&str] = &[
    "allele", "annex", "apolipoprotein", "appendix", "arm", "category", "chain", "channel", "chromosome", "class",
    "coenzyme", "cohort", "complex", "compound", "cytochrome", "division", "domain", "exhibit", "factor", "figure",
    "grade", "group", "haemophilia", "hemophilia", "hepatitis", "influenza", "influenzae", "interferon", "isoform",
    "kinase", "layer", "level", "option", "panel", "part", "phase", "plan", "protein", "receptor", "region",
    "regimen", "sample", "scenario", "schedule", "section", "sector", "serie", "serotype", "site", "stage", "step",
    "strain", "streptococcus", "subclass", "subgroup", "subtype", "subunit", "table", "terminal", "toxin", "type",
    "variant", "virus", "vitamin", "war", "zone",
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "theta", "kappa", "lambda", "sigma", "omega",
];

/// Ends of the names of substances, in any case.
#[rustfmt::skip]
const SUBSTANCES: &[&str] = &[
    "cathepsin", "cillin", "cyclin", "globin", "globulin", "integrin", "mycin", "myxin", "sporin", "sporine", "tericin",
    "toxin",
];

/// Ends of lower-case words for substances, genes and diseases.
const TERMS: &[&str] = &["in", "itis", "ase", "gen", "gene", "virus", "zyme", "peptide", "receptor"];

/// Lower-case words with such an end that may precede a name.
#[rustfmt::skip]
const NOT_TERMS: &[&str] = &[
    "assassin", "begin", "case", "chase", "cousin", "database", "erase", "in", "join", "lease", "origin",
    "phrase", "please", "purchase", "release", "twin", "within",
];

/// Whether a capital letter between `before` and `next` is the last part of a term and not an initial. `before` is the
/// text of the sentence up to the letter, `next` the word after its period.
pub(super) fn is_part_of_term(before: &[char], next: &str) -> bool {
    let words = before.rsplit(|char| char.is_whitespace()).filter(|word| !word.is_empty());
    let mut words = words.map(|word| word.iter().collect::<String>());
    let Some(last) = words.next() else { return false };
    if ["and", "or"].contains(&last.as_str()) {
        // `vitamins A and D.`
        return words.next().is_some_and(|word| is_letter(word.trim_end_matches(',')));
    }
    let word = last.trim_end_matches(['-', '/']).rsplit(['-', '/', '(']).next().unwrap_or_default();
    let lower = word.to_lowercase();
    let singular = lower.strip_suffix('s').unwrap_or(&lower);
    let is_one_of = |list: &[&str]| list.contains(&lower.as_str()) || list.contains(&singular);
    let ends_like = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end) || singular.ends_with(end));
    let is_term = word == lower && ends_like(TERMS) && !lower.ends_with("ain") && !is_one_of(NOT_TERMS);
    is_one_of(LETTERED) || ends_like(SUBSTANCES) || is_term || is_greek(word) || (is_acronym(word) && !is_acronym(next))
}

/// Whether a word is a single capital letter, and not the pronoun.
fn is_letter(word: &str) -> bool {
    word != "I" && word.chars().count() == 1 && word.chars().all(char::is_uppercase)
}

/// Whether a word ends in a Greek letter.
fn is_greek(word: &str) -> bool {
    word.chars().last().is_some_and(|char| matches!(char, 'α'..='ω' | 'Α'..='Ω'))
}

/// Whether a word of at least two characters consists of capital letters and digits.
fn is_acronym(word: &str) -> bool {
    word.chars().count() > 1
        && word.chars().any(char::is_uppercase)
        && word.chars().all(|char| char.is_uppercase() || char.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    fn is_part_of_term(before: &str, next: &str) -> bool {
        super::is_part_of_term(&before.chars().collect::<Vec<_>>(), next)
    }

    #[test]
    fn terms_and_names_are_told_apart() {
        for before in [
            "binds NF-kappa ",
            "NF-κ",
            "low vitamin ",
            "Vitamins A and ",
            "hepatitis A, B, and ",
            "of Cyclosporin ",
            "Cyclin ",
            "amphotericin ",
            "protein kinase ",
            "HLA-",
            "CYP2B6-G516 ",
            "a class ",
            "World War ",
        ] {
            assert!(is_part_of_term(before, "Patients"), "{before}");
        }
        for before in
            ["", "John ", "by ", "attorney ", "Benjamin ", "captain ", "J. and ", "I and ", "his cousin ", "Eugene "]
        {
            assert!(!is_part_of_term(before, "Smith"), "{before}");
        }
        assert!(!is_part_of_term("JOHN ", "KENNEDY"));
    }
}
