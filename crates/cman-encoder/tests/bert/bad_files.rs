//! Files that are damaged or contradict each other are refused; the error names the file and the reason.

use std::{collections::HashMap, fs, path::Path};

use burn::tensor::Device;
use cman_encoder::{Bert, Pooling};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::Value;

use crate::golden::tiny;

/// The error after `damage` to a copy of the tiny BERT, without the path of the folder.
fn error_after(damage: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    for name in Bert::FILES {
        fs::copy(tiny("bert").join(name), folder.path().join(name)).unwrap();
    }
    Bert::load_dir(folder.path(), Pooling::First, &Device::flex()).unwrap();
    damage(folder.path());
    let error = Bert::load_dir(folder.path(), Pooling::First, &Device::flex()).expect_err("refused");
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

fn edit(folder: &Path, name: &str, change: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap();
    change(&mut value);
    fs::write(folder.join(name), value.to_string()).unwrap();
}

/// Changes shapes, types and bytes of the weights, which are given by name.
fn edit_weights(folder: &Path, change: impl Fn(&mut HashMap<String, (Vec<usize>, Dtype, Vec<u8>)>)) {
    let path = folder.join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut all = HashMap::new();
    for (name, view) in tensors.tensors() {
        all.insert(name, (view.shape().to_vec(), view.dtype(), view.data().to_vec()));
    }
    change(&mut all);
    let views = all.iter().map(|(n, (shape, dtype, data))| (n, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn errors_name_the_file_and_the_reason() {
    const QUERY: &str = "bert.encoder.layer.1.attention.self.query.weight";
    let option = |key: &'static str, value: Value| {
        move |folder: &Path| edit(folder, "config.json", |config| config[key] = value.clone())
    };
    let remove = |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).unwrap();
    let cut = |name: &'static str| {
        move |folder: &Path| {
            let bytes = fs::read(folder.join(name)).unwrap();
            fs::write(folder.join(name), &bytes[..bytes.len() - 100]).unwrap();
        }
    };
    type Damage = Box<dyn Fn(&Path)>;
    let cases: Vec<(Damage, &str)> = vec![
        (Box::new(remove("config.json")), "config.json: No such file"),
        (Box::new(remove("tokenizer.json")), "tokenizer.json: No such file"),
        (Box::new(remove("model.safetensors")), "model.safetensors: No such file"),
        (Box::new(cut("config.json")), "config.json: EOF"),
        (Box::new(cut("tokenizer.json")), "tokenizer.json: EOF"),
        (Box::new(cut("model.safetensors")), "model.safetensors: "),
        (Box::new(|folder| fs::write(folder.join("model.safetensors"), [0xff; 999]).unwrap()), "model.safetensors: "),
        (
            Box::new(|folder| edit_weights(folder, |all| _ = all.remove(QUERY).unwrap())),
            "model.safetensors: there is no tensor 'encoder.layer.1.attention.self.query.weight'",
        ),
        (
            Box::new(|folder| edit_weights(folder, |all| all.get_mut(QUERY).unwrap().0 = vec![8, 32])),
            "model.safetensors: tensor 'bert.encoder.layer.1.attention.self.query.weight': expected shape [16, 16], \
             found [8, 32]",
        ),
        (
            Box::new(|folder| edit_weights(folder, |all| all.get_mut(QUERY).unwrap().1 = Dtype::I32)),
            "expected F32, F16 or BF16, found I32",
        ),
        (
            Box::new(|folder| edit_weights(folder, |all| all.get_mut(QUERY).unwrap().2[..4].fill(0xff))),
            "query.weight': not all values are finite",
        ),
        (
            Box::new(option("hidden_size", 20.into())),
            "model.safetensors: tensor 'bert.embeddings.word_embeddings.weight'",
        ),
        (
            Box::new(option("num_hidden_layers", 3.into())),
            "there is no tensor 'encoder.layer.2.attention.self.query.weight'",
        ),
        (
            Box::new(option("num_attention_heads", 5.into())),
            "config.json: 'num_attention_heads': expected a divisor of 16, found 5",
        ),
        (
            Box::new(option("intermediate_size", 0.into())),
            "config.json: 'intermediate_size': expected 1 to 2^24, found 0",
        ),
        (
            Box::new(option("model_type", "t5".into())),
            "config.json: 'model_type': expected bert, roberta or distilbert, found t5",
        ),
        (Box::new(option("hidden_act", "swish".into())), "config.json: 'hidden_act': expected gelu"),
        (
            Box::new(option("position_embedding_type", "relative_key".into())),
            "config.json: 'position_embedding_type': expected absolute, found relative_key",
        ),
        (Box::new(option("max_position_embeddings", 3.into())), "config.json: 'max_position_embeddings': expected 8"),
        (
            Box::new(option("type_vocab_size", (1u64 << 40).into())),
            "config.json: 'type_vocab_size': expected at most 2^24",
        ),
        (
            Box::new(option("layer_norm_eps", (-1e-12).into())),
            "config.json: 'layer_norm_eps': expected a number above 0",
        ),
        // A valid size that does not fit the file. No memory is allocated for it.
        (
            Box::new(option("intermediate_size", (1 << 24).into())),
            "model.safetensors: the weights do not fit config.json: ",
        ),
        (
            Box::new(option("hidden_dropout_prob", 1.5.into())),
            "config.json: 'hidden_dropout_prob': expected a rate in [0, 1), found 1.5",
        ),
        (Box::new(option("vocab_size", Value::Null)), "config.json: invalid type: null, expected usize"),
        // The tokenizer of another model, which has more pieces than the network has embeddings.
        (
            Box::new(|folder| {
                _ = fs::copy(tiny("roberta").join("tokenizer.json"), folder.join("tokenizer.json")).unwrap()
            }),
            "tokenizer.json: 'vocabulary': expected ids below the model's 103, found 319",
        ),
        (
            Box::new(|folder| edit(folder, "tokenizer.json", |tokenizer| tokenizer["model"]["type"] = "none".into())),
            "tokenizer.json: ",
        ),
    ];
    for (damage, expected) in cases {
        let found = error_after(damage);
        assert!(found.contains(expected), "{found:?} for {expected:?}");
    }
}

#[test]
fn a_padding_id_out_of_range_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in Bert::FILES {
        fs::copy(tiny("roberta").join(name), folder.path().join(name)).unwrap();
    }
    edit(folder.path(), "config.json", |config| config["pad_token_id"] = (u64::MAX - 1).into());
    let error = Bert::load_dir(folder.path(), Pooling::First, &Device::flex()).unwrap_err().to_string();
    assert!(error.contains("'pad_token_id': expected below 2^24"), "{error}");
}

#[test]
fn half_precision_is_read() {
    let whole = Bert::load_dir(&tiny("bert"), Pooling::First, &Device::flex()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in Bert::FILES {
        fs::copy(tiny("bert").join(name), folder.path().join(name)).unwrap();
    }
    for dtype in [Dtype::F16, Dtype::BF16] {
        fs::copy(tiny("bert").join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
        edit_weights(folder.path(), |all| {
            for (_, kind, data) in all.values_mut() {
                let values = data.as_chunks::<4>().0.iter().map(|&x| f32::from_le_bytes(x));
                *data = match dtype {
                    Dtype::F16 => values.flat_map(|x| half::f16::from_f32(x).to_le_bytes()).collect(),
                    _ => values.flat_map(|x| half::bf16::from_f32(x).to_le_bytes()).collect(),
                };
                *kind = dtype;
            }
        });
        let half = Bert::load_dir(folder.path(), Pooling::First, &Device::flex()).unwrap();
        let [a, b] = [&whole, &half].map(|bert| bert.encode(&[vec!["the", "ferry"]]).unwrap().concat());
        let tolerance = if dtype == Dtype::F16 { 1e-2 } else { 1e-1 };
        assert!(a != b && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < tolerance), "{dtype:?}");
    }
}

#[test]
fn a_saved_encoder_is_the_same_and_other_files_have_other_hashes() {
    for name in ["bert", "distilbert", "roberta"] {
        let bert = Bert::load_dir(&tiny(name), Pooling::Max, &Device::flex().autodiff()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        bert.save_dir(folder.path()).unwrap();
        let again = Bert::load_dir(folder.path(), Pooling::Max, &Device::flex().autodiff()).unwrap();
        let words = [vec!["unbelievable", "ferry"]];
        assert_eq!(bert.encode(&words).unwrap(), again.encode(&words).unwrap());
        let hash = Bert::hash_dir(folder.path()).unwrap();
        assert_eq!(hash.len(), 64);
        assert_eq!(hash, Bert::hash_dir(folder.path()).unwrap());
        edit(folder.path(), "config.json", |config| config["note"] = "another".into());
        assert_ne!(hash, Bert::hash_dir(folder.path()).unwrap());
    }
}
