use super::texts::{self, Kind};
use super::*;

#[test]
fn inputs_of_the_corpus_cause_no_panic() {
    let target = Target::new().unwrap();
    let inputs = corpus(&corpus_folder()).unwrap();
    assert!(inputs.len() > 100, "the corpus is not there");
    for (path, input) in inputs {
        target.examine(&input).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[test]
fn every_seed_is_valid_in_its_form() {
    let target = Target::new().unwrap();
    for input in seeds::all().unwrap() {
        let verdict = target.examine(&input).unwrap();
        assert!(matches!(verdict, Verdict::Accepted(1..)), "{verdict:?}: {input:?}");
    }
}

#[test]
fn an_input_depends_only_on_its_seed_and_number() {
    let seeds = seeds::all().unwrap();
    for number in 0..200 {
        let input = made(7, number, &seeds);
        assert_eq!(input, made(7, number, &seeds));
        assert_eq!(Input::decode(&input.encode()), Some(input));
    }
}

#[test]
fn texts_of_the_corpora_cause_no_finding() {
    for kind in Kind::ALL {
        let target = texts::Target::new(kind).unwrap();
        let inputs = texts::corpus(kind).unwrap();
        assert!(inputs.len() > 5, "the corpus of {kind:?} is not there");
        for (path, input) in inputs {
            target.examine(&input).unwrap_or_else(|error| panic!("{}: {error:#}", path.display()));
        }
    }
}

#[test]
fn the_corpus_has_a_valid_signature_of_each_method() {
    let target = texts::Target::new(Kind::Signature).unwrap();
    let inputs = texts::corpus(Kind::Signature).unwrap();
    let accepted = |input: &Vec<u8>| target.examine(input).unwrap().ends_with("accepted");
    assert_eq!(inputs.iter().filter(|(_, input)| accepted(input)).count(), 6);
}
