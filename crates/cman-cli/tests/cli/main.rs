//! The program from outside, on the sample corpus with a network so small that each test takes seconds.

mod conversion;
mod experiments;
mod mistakes;
mod prediction;
mod program;
mod resuming;
mod training;
