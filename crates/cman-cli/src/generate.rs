//! `cman generate`: shell completions, man pages, and the reference of all commands.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Command, Subcommand};
use clap_complete::Shell;

/// Write shell completions, man pages or the command reference
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman generate completions bash > /etc/bash_completion.d/cman
  cman generate man /usr/local/share/man/man1")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Completions for a shell, on standard output
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Man pages, one per command
    Man {
        /// Folder to write
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// The help of every command as one Markdown page, on standard output
    Reference,
}

/// Runs the subcommand for this command line.
pub fn run(args: &Args, mut command: Command) -> Result<()> {
    match &args.what {
        What::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command, "cman", &mut script);
            Ok(io::stdout().lock().write_all(&script)?)
        }
        What::Man { folder } => man(&command, folder),
        What::Reference => Ok(io::stdout().lock().write_all(reference(command).as_bytes())?),
    }
}

fn man(command: &Command, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    clap_mangen::generate_to(command.clone(), folder).with_context(|| folder.display().to_string())
}

/// The help of the command and of every subcommand.
fn reference(command: Command) -> String {
    let mut page = String::from(
        "# Command reference\n\nThis page is `cman generate reference`: what `--help` prints, command by command.\n",
    );
    let mut command = command.term_width(100);
    command.build();
    let mut waiting = vec![command];
    while let Some(mut command) = waiting.pop() {
        let name = command.get_display_name().unwrap_or(command.get_name()).replace('-', " ");
        let help = command.render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
        let others: Vec<Command> = command.get_subcommands().filter(|c| c.get_name() != "help").cloned().collect();
        waiting.extend(others.into_iter().rev().map(|command| command.term_width(100)));
    }
    page
}
