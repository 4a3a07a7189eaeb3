//! Shell completions and man pages, made of the command line itself.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Command, CommandFactory, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;

/// Makes what a package installs beside the binary. Needs no config.
#[derive(Clone, Debug, Subcommand)]
pub enum GenerateCommand {
    /// Prints the completions for a shell.
    #[command(after_help = "Example: BINARY completions bash > /etc/bash_completion.d/BINARY")]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Prints the man page, or writes that of each command to a folder.
    #[command(after_help = "Example: BINARY man --out /usr/local/share/man/man1")]
    Man {
        /// The folder, which has to be there.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

/// Does what `command` says, for the binary whose arguments are `A`, and returns the code to exit with.
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
        // The reader may have gone (`| head`).
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
