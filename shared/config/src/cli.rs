//! The command line that both binaries share: `--config FILE`, `config check` and `config show`.
//!
//! A binary flattens [`Common`] into its arguments and has a subcommand `config` with [`ConfigCommand`]:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use clap::{Parser, Subcommand};
//! use config::cli::{self, Common, ConfigCommand};
//! use config::Part;
//!
//! #[derive(Parser)]
//! struct Args {
//!     #[command(flatten)]
//!     common: Common,
//!     #[command(subcommand)]
//!     command: Option<Command>,
//! }
//!
//! #[derive(Subcommand)]
//! enum Command {
//!     /// Checks or shows the config.
//!     #[command(subcommand)]
//!     Config(ConfigCommand),
//! }
//!
//! fn main() -> ExitCode {
//!     let args = match cli::parse::<Args>() {
//!         Ok(args) => args,
//!         Err(code) => return code,
//!     };
//!     if let Some(Command::Config(command)) = args.command {
//!         return cli::run_config_command(Part::Receiver, &args.common, command);
//!     }
//!     let config = match cli::load(Part::Receiver, &args.common) {
//!         Ok(config) => config,
//!         Err(code) => return code,
//!     };
//!     // … and runs.
//!     # let _ = config;
//!     ExitCode::SUCCESS
//! }
//! ```

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{Config, ConfigError, Part};

pub use generate::{GenerateCommand, run_generate_command};

mod generate;

/// What a process exits with when its config cannot be used: `EX_CONFIG` of `sysexits.h`. A service manager should not
/// start it again before the config has been fixed (systemd: `RestartPreventExitStatus=78`).
pub const EX_CONFIG: u8 = 78;

/// What a process exits with when its command line cannot be understood: `EX_USAGE` of `sysexits.h`. Clap's own 2 is
/// what commands exit with that find a difference.
pub const EX_USAGE: u8 = 64;

/// The arguments of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The config file.
    #[arg(long, value_name = "FILE", env = "PENSTOCK_CONFIG", default_value = "penstock.yaml", global = true)]
    pub config: PathBuf,
}

/// What can be done with the config other than run with it. Exits with 0, or with 78 when the config cannot be used.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Says "ok", or everything that is wrong. Connects to nothing.
    Check {
        /// All sections, not only those that this binary reads.
        #[arg(long)]
        all: bool,
    },
    /// Prints the config that results from file, environment and defaults, without secrets.
    Show {
        /// All sections, not only those that this binary reads.
        #[arg(long)]
        all: bool,
    },
}

/// Returns the arguments of this process. What `--help` and `--version` ask for, and what is wrong with the arguments,
/// is printed.
///
/// # Errors
/// The code to exit with: 0 after `--help` and `--version`, else [`EX_USAGE`].
pub fn parse<A: Parser>() -> Result<A, ExitCode> {
    A::try_parse().map_err(|error| {
        // With the output gone there is nobody to tell.
        match error.print() {
            Ok(()) | Err(_) => {}
        }
        if error.use_stderr() { ExitCode::from(EX_USAGE) } else { ExitCode::SUCCESS }
    })
}

/// Loads the config for a binary that reads `part` of it. Why it cannot is printed to standard error.
///
/// # Errors
/// The code to exit with: [`EX_CONFIG`].
pub fn load(part: Part, common: &Common) -> Result<Config, ExitCode> {
    crate::load_for(part, &common.config).map_err(|error| {
        print_error(&error);
        ExitCode::from(EX_CONFIG)
    })
}

/// Does what `command` says, for a binary that reads `part` of the config, and returns the code to exit with.
pub fn run_config_command(part: Part, common: &Common, command: ConfigCommand) -> ExitCode {
    match output(part, common, command) {
        // The reader may have gone (`| head`): no matter.
        Ok(output) => match std::io::stdout().write_all(output.as_bytes()) {
            Ok(()) | Err(_) => ExitCode::SUCCESS,
        },
        Err(error) => {
            print_error(&error);
            ExitCode::from(EX_CONFIG)
        }
    }
}

fn output(part: Part, common: &Common, command: ConfigCommand) -> Result<String, ConfigError> {
    let (ConfigCommand::Check { all } | ConfigCommand::Show { all }) = command;
    let part = if all { Part::All } else { part };
    let loaded = crate::load_unchecked(part, &common.config)?;
    match command {
        ConfigCommand::Show { .. } => shown(part, &loaded.config),
        ConfigCommand::Check { .. } => {
            crate::refuse_problems(&common.config, &loaded.config, part)?;
            let mut output = format!("ok: {}\n", common.config.display());
            for variable in loaded.variables {
                output.push_str(&format!("with {variable} from the environment\n"));
            }
            Ok(output)
        }
    }
}

/// Returns the sections that `part` reads, as YAML. Secrets are redacted by their types.
fn shown(part: Part, config: &Config) -> Result<String, ConfigError> {
    let failed = |error: &dyn std::fmt::Display| ConfigError(format!("cannot show the config: {error}"));
    let mut value = serde_json::to_value(config).map_err(|error| failed(&error))?;
    if let Some(sections) = value.as_object_mut() {
        sections.retain(|section, _| part.reads(section));
    }
    serde_saphyr::to_string(&value).map_err(|error| failed(&error))
}

/// Prints `error`, and returns the code of a failure.
fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    print_error(error);
    ExitCode::FAILURE
}

fn print_error(error: &dyn std::fmt::Display) {
    // With standard error gone there is nobody to tell.
    match writeln!(std::io::stderr(), "{error}") {
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests;
