//! Judges how a program answers the vectors.

mod certificates;
mod compare;
mod contest;
mod differences;
mod excerpt;
mod history;
mod junit;
mod keys;
pub(crate) mod process;
mod reports;
mod score;
mod selection;
mod shape;
pub(crate) mod vectors;

pub(crate) use self::{
    compare::{Answered, judged},
    contest::{Contest, Verdict},
    differences::Differences,
    score::{Outcome, Score},
    selection::Selection,
    vectors::{Category, Vector},
};
