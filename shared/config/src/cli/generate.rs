//! Shell completions and man pages, generated from the command line's definition.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

/// Generates the files that a package installs next to the binary. Needs no config.
#[derive(Clone, Debug, Subcommand)]
pub enum GenerateCommand {
    /// Prints the completions for a shell.
    #[command(after_help = "Example: BINARY completions bash > /etc/bash_completion.d/BINARY")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Prints the man page, or writes one page per command to a folder.
    #[command(after_help = "Example: BINARY man --out /usr/local/share/man/man1")]
    Man {
        /// The folder, which must exist.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

/// Runs `command` for the binary whose arguments are `A`, and returns the exit code.
pub fn run_generate_command<A: CommandFactory>(command: &GenerateCommand) -> ExitCode {
    let mut arguments = A::command();
    let name = arguments.get_name().to_owned();
    let outcome = match command {
        GenerateCommand::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut arguments, name, &mut text);
            io::Write::write_all(&mut io::stdout(), &text)
        }
        GenerateCommand::Man { out: None } => print_page(arguments),
        GenerateCommand::Man { out: Some(folder) } => clap_mangen::generate_to(arguments, folder),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // The reader may have closed the pipe (`| head`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => super::fail(&error),
    }
}

fn print_page(arguments: Command) -> io::Result<()> {
    let mut text = Vec::new();
    Man::new(arguments).render(&mut text)?;
    io::Write::write_all(&mut io::stdout(), &text)
}

#[cfg(test)]
mod tests;
