//! The experiment files of this repository are valid and share runs.

#[path = "../../../tests/real_data/mod.rs"]
mod real_data;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use cman_experiment::{Experiment, Plan, PlanOptions, RunSpec};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments").join(format!("{name}.toml"))
}

fn ids(plan: &Plan) -> BTreeSet<&str> {
    plan.runs.iter().map(|run| run.id.as_str()).collect()
}

#[test]
fn run_ids_depend_on_everything_that_determines_the_result() {
    let plan = |options: &PlanOptions| Plan::load(&file("sample"), options).unwrap();
    let plain = plan(&PlanOptions::default());
    assert_eq!((plain.runs.len(), ids(&plain).len()), (8, 8));
    assert_eq!(ids(&plain), ids(&plan(&PlanOptions::default())), "ids are deterministic");
    let seeds = PlanOptions { seeds: Some(vec![2, 3]), ..PlanOptions::default() };
    assert_eq!(ids(&plain).intersection(&ids(&plan(&seeds))).count(), 4, "the runs of seed 2");
    let set = PlanOptions { set: vec!["train.epochs=7".into()], ..PlanOptions::default() };
    let longer = plan(&set);
    assert!(longer.runs.iter().all(|run| run.config.train.epochs == 7) && ids(&plain).is_disjoint(&ids(&longer)));
    let names: Vec<&str> = plain.files[0].files.iter().map(|file| file.part.as_str()).collect();
    assert_eq!(names, ["dev", "test", "train", "types"]);
}

#[test]
fn errors_are_found_before_training() {
    let fail = |options: PlanOptions| Plan::load(&file("sample"), &options).unwrap_err().to_string();
    let set = fail(PlanOptions { set: vec!["train.epochs=0".into()], ..PlanOptions::default() });
    assert_eq!(set, "configuration: train.epochs: expected at least 1, found 0");
    let seed = fail(PlanOptions { set: vec!["seed=7".into()], ..PlanOptions::default() });
    assert!(seed.starts_with("--set: `seed=7`: seeds are not a setting"), "{seed}");
    let seeds = fail(PlanOptions { seeds: Some(vec![1, 1]), ..PlanOptions::default() });
    assert_eq!(seeds, "--seeds: seeds: duplicate `1`");
    let data = fail(PlanOptions { data: Some("nowhere".into()), ..PlanOptions::default() });
    assert!(data.starts_with("nowhere/../crates/cman-data/sample: "), "{data}");
    let vectors = fail(PlanOptions { vectors: Some("none.txt".into()), ..PlanOptions::default() });
    assert!(vectors.starts_with("none.txt: "), "{vectors}");

    let folder = tempfile::tempdir().unwrap();
    let experiment = folder.path().join("a.toml");
    let corpus = "[[corpora]]\nname = 'c'\ntrain = 'train.json'\ntest = 'train.json'\n[[systems]]\nname = 's'\n";
    std::fs::write(&experiment, format!("name = 'a'\ntitle = 'A'\n{corpus}")).unwrap();
    std::fs::write(folder.path().join("train.json"), "[{\"tokens\": 3}]").unwrap();
    let record = Plan::load(&experiment, &PlanOptions::default()).unwrap_err().to_string();
    assert!(record.contains("train.json"), "{record}");
}

#[test]
fn the_experiments_of_the_paper_share_runs() {
    let names = ["table1", "table2", "table3", "table4", "figures"];
    for name in names {
        assert_eq!(Experiment::load(&file(name)).unwrap().name, name);
    }
    let (Some(data), vectors @ Some(_)) =
        (real_data::real_data(""), real_data::real_data("vectors/glove.6B.50d.union.txt"))
    else {
        return;
    };
    let options = PlanOptions { data: Some(data), vectors, ..PlanOptions::default() };
    let [table1, table2, table3, table4, figures] = names.map(|name| Plan::load(&file(name), &options).unwrap());
    let counts = [&table1, &table2, &table3, &table4, &figures].map(|plan| plan.runs.len());
    assert_eq!(counts, [48, 40, 3, 15, 6]);
    assert!(ids(&figures).is_subset(&ids(&table1)) && ids(&table3).is_subset(&ids(&figures)));
    assert_eq!(ids(&table4).intersection(&ids(&table1)).count(), 3, "CMAN itself");
    assert_eq!(table2.files[0].files.len(), 22, "twenty files of folds, the types and the vectors");

    let of = |plan: &Plan, system: &str| -> RunSpec {
        plan.runs.iter().find(|run| run.system == system).expect("a run of this name").clone()
    };
    let published = of(&table1, "Multi-head + AT").config;
    assert_eq!((published.train.epochs, published.train.patience, published.train.adversarial.alpha), (130, 40, 0.01));
    let plain = of(&table1, "Multi-head").config;
    assert_eq!((plain.train.epochs, plain.train.patience, plain.train.adversarial.alpha), (150, 30, 0.0));
    let ade = of(&table2, "Multi-head + AT, overlap").config;
    assert_eq!((ade.train.adversarial.alpha, ade.model.label.width), (0.001, 25));
}
