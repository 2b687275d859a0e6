//! Tests of the program on the sample corpus, with a network so small that each test takes seconds.

mod annotated_corpora;
mod bad_files;
mod bounds;
mod conversion;
mod embedding;
mod encoder_paths;
mod experiments;
mod extracting;
mod full_disk;
mod generating;
mod mistakes;
mod own_corpora;
mod packaging;
mod pre_annotation;
mod prediction;
mod program;
mod reproducing;
mod resuming;
mod sharing;
mod splitting;
mod suggesting;
mod training;
mod view;
