use clap::{Parser, ValueEnum};

use super::*;

#[derive(Parser)]
#[command(name = "penstock-example")]
struct Arguments {
    #[command(subcommand)]
    command: GenerateCommand,
}

#[test]
fn each_shells_completions_contain_the_commands() {
    for shell in Shell::value_variants() {
        let mut text = Vec::new();
        clap_complete::generate(*shell, &mut Arguments::command(), "penstock-example", &mut text);
        assert!(String::from_utf8(text).unwrap().contains("completions"), "{shell}");
    }
}

#[test]
fn each_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = Arguments::parse_from(["x", "man", "--out", folder.path().to_str().unwrap()]);
    run_generate_command::<Arguments>(&arguments.command);
    for page in ["penstock-example.1", "penstock-example-man.1", "penstock-example-completions.1"] {
        assert!(folder.path().join(page).exists(), "{page}");
    }
}
