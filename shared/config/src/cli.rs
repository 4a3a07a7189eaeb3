//! The command line that both binaries share: `--config FILE`, `config check` and `config show`.
//!
//! A binary flattens [`Common`] into its arguments and has a subcommand `config` with [`ConfigCommand`]:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use clap::{Parser, Subcommand};
//! use config::BinaryConfig;
//! use config::cli::{self, Common, ConfigCommand};
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
//! fn start<Config: BinaryConfig>() -> ExitCode {
//!     let args = match cli::parse::<Args>() {
//!         Ok(args) => args,
//!         Err(code) => return code,
//!     };
//!     if let Some(Command::Config(command)) = args.command {
//!         return cli::run_config_command::<Config>(&args.common, command);
//!     }
//!     let config: Config = match cli::load(&args.common) {
//!         Ok(config) => config,
//!         Err(code) => return code,
//!     };
//!     // … and run.
//!     # let _ = config;
//!     ExitCode::SUCCESS
//! }
//! ```

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{BinaryConfig, ConfigError};

pub use generate::{GenerateCommand, run_generate_command};

mod generate;

/// The exit code for a config that cannot be used: `EX_CONFIG` of `sysexits.h`. A service manager should not start the
/// process again until the config has been fixed (systemd: `RestartPreventExitStatus=78`).
pub const EX_CONFIG: u8 = 78;

/// The exit code for an invalid command line: `EX_USAGE` of `sysexits.h`. Clap's own code is 2, which commands here
/// use to report a difference.
pub const EX_USAGE: u8 = 64;

/// The arguments of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The config file.
    #[arg(long, value_name = "FILE", env = "PENSTOCK_CONFIG", default_value = "penstock.yaml", global = true)]
    pub config: PathBuf,
}

/// Checks or shows the config instead of running with it. Exits with 0, or with 78 if the config cannot be used.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Prints "ok", or every problem with the sections that this binary reads. Connects to nothing.
    Check,
    /// Prints the sections that this binary reads: file, environment and defaults combined, with secrets redacted.
    Show,
}

/// Returns the arguments of this process. Prints the output of `--help` and `--version`, and any problem with the
/// arguments.
///
/// # Errors
/// The code to exit with: 0 after `--help` and `--version`, else [`EX_USAGE`].
pub fn parse<A: Parser>() -> Result<A, ExitCode> {
    A::try_parse().map_err(|error| {
        // If the output is closed, nobody reads the message.
        match error.print() {
            Ok(()) | Err(_) => {}
        }
        if error.use_stderr() { ExitCode::from(EX_USAGE) } else { ExitCode::SUCCESS }
    })
}

/// Loads the config. Prints the reason to standard error if that fails.
///
/// # Errors
/// The code to exit with: [`EX_CONFIG`].
pub fn load<C: BinaryConfig>(common: &Common) -> Result<C, ExitCode> {
    crate::load(&common.config).map_err(|error| {
        print_error(&error);
        ExitCode::from(EX_CONFIG)
    })
}

/// Runs `command` for a binary whose config is `C`, and returns the exit code.
pub fn run_config_command<C: BinaryConfig>(common: &Common, command: ConfigCommand) -> ExitCode {
    match output::<C>(common, command) {
        // The reader may have closed the pipe (`| head`), which is not a failure.
        Ok(output) => match std::io::stdout().write_all(output.as_bytes()) {
            Ok(()) | Err(_) => ExitCode::SUCCESS,
        },
        Err(error) => {
            print_error(&error);
            ExitCode::from(EX_CONFIG)
        }
    }
}

fn output<C: BinaryConfig>(common: &Common, command: ConfigCommand) -> Result<String, ConfigError> {
    let loaded = crate::load_unchecked::<C>(&common.config)?;
    match command {
        ConfigCommand::Show => shown(&loaded.config),
        ConfigCommand::Check => {
            crate::refuse_problems(&common.config, &loaded.config)?;
            let mut output = format!("ok: {}\n", common.config.display());
            for variable in loaded.variables {
                output.push_str(&format!("with {variable} from the environment\n"));
            }
            if !loaded.left.is_empty() {
                output.push_str(&format!("without {}, which {} reads\n", loaded.left.join(", "), C::OTHER));
            }
            Ok(output)
        }
    }
}

/// Returns `config` as YAML. Secrets are redacted by their types.
fn shown(config: &impl BinaryConfig) -> Result<String, ConfigError> {
    let failed = |error: &dyn std::fmt::Display| ConfigError(format!("cannot show the config: {error}"));
    let value = serde_json::to_value(config).map_err(|error| failed(&error))?;
    serde_saphyr::to_string(&value).map_err(|error| failed(&error))
}

/// Prints `error`, and returns the exit code for a failure.
fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    print_error(error);
    ExitCode::FAILURE
}

fn print_error(error: &dyn std::fmt::Display) {
    // If standard error is closed, nobody reads the message.
    match writeln!(std::io::stderr(), "{error}") {
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests;
