//! The command line: clap's types and the help text, no logic.

#![expect(clippy::doc_markdown, reason = "the help text is read in a terminal")]

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use crate::completion;
use crate::format::Format;
use crate::shell::Shell;

/// Temporary AWS credentials for people whose policies enforce MFA.
///
/// awsmfa buys a session from AWS with a token code of your MFA device, and hands it to the running shell or to one
/// command. It never writes a file.
#[derive(Parser)]
#[command(
    name = "awsmfa",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Start with:\n  \
        eval \"$(awsmfa env -p PROFILE)\"         this shell (bash, zsh; other shells: awsmfa env --help)\n  \
        awsmfa exec -p PROFILE -- aws s3 ls     one command"
)]
pub(crate) struct Cli {
    /// The shell whose function runs this: it is about to evaluate what `use` and `off` print
    #[arg(long, value_enum, hide = true)]
    pub(crate) integration: Option<Shell>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Env(EnvOptions),
    Exec(ExecOptions),
    Status(StatusOptions),
    Use(UseOptions),
    /// Take the session out of this shell, and give back what `use` took (see `awsmfa init --help`)
    ///
    /// AWS_PROFILE, AWS_REGION and AWS_DEFAULT_REGION become what they were before `use`, where nobody changed them since.
    Off,
    Init(InitOptions),
    Completions(CompletionsOptions),
    Complete(CompleteOptions),
}

/// Print the statements that put a session into the running shell
///
/// The whole block is printed at once, or nothing of it: on failure it is a statement that fails, so that
/// `eval "$(awsmfa env)" && terraform apply` is safe.
#[derive(Args)]
#[command(after_help = "How to apply it:
  bash, zsh    eval \"$(awsmfa env -p PROFILE)\"
  sh, dash     eval \"$(awsmfa env -p PROFILE)\"
  fish         awsmfa env -p PROFILE | source
  PowerShell   awsmfa env -p PROFILE | Out-String | Invoke-Expression
  cmd          for /f \"delims=\" %i in ('awsmfa env -p PROFILE') do @%i >NUL 2>&1
  nushell      awsmfa env -p PROFILE | from json | default {} | load-env
  elvish       eval (awsmfa env -p PROFILE | slurp)
  tcsh         eval \"`awsmfa env -p PROFILE`\"
  xonsh        execx($(awsmfa env -p PROFILE))

For cmd, each value is set for this window (SET) and stored in the registry for new ones (SETX). To take it away
again, apply `awsmfa env --unset` in the same way.

Exit status: 0 printed, 1 failed, 2 wrong usage, 130 interrupted.")]
pub(crate) struct EnvOptions {
    #[command(flatten)]
    pub(crate) session: SessionOptions,

    /// The shell to write for [default: the one that runs awsmfa]
    #[arg(short, long, value_enum)]
    pub(crate) shell: Option<Shell>,

    /// Print the statements that clear everything `env` sets
    ///
    /// The region is cleared only where it is still the one that awsmfa set.
    #[arg(long)]
    pub(crate) unset: bool,

    /// cmd: set the values for this window only, don't store them for new ones
    #[arg(long)]
    pub(crate) no_setx: bool,

    /// Print the session for another program, not for a shell
    #[arg(long, value_enum, conflicts_with_all = ["shell", "unset", "no_setx"])]
    pub(crate) format: Option<Format>,

    /// The name of the section that `--format ini` prints [default: PROFILE-sts]
    #[arg(long, value_name = "NAME")]
    pub(crate) section: Option<String>,
}

/// Run one command with a session in its environment
///
/// A session that this shell already holds is used as it is: no code, no network. Otherwise a session is bought for the
/// command alone. Without a command, your shell is started.
#[derive(Args)]
#[command(
    override_usage = "awsmfa exec [OPTIONS] [-- COMMAND [ARGUMENT]...]",
    after_help = "Examples:
  awsmfa exec -- terraform plan               with the session in this shell, or a new one
  awsmfa exec -p deploy -- aws s3 ls          with the profile `deploy`
  awsmfa exec -p deploy                       a shell with the profile `deploy`

Exit status: the command's own; 125 awsmfa failed, 126 the command can't be run, 127 there is no such command."
)]
pub(crate) struct ExecOptions {
    #[command(flatten)]
    pub(crate) session: SessionOptions,

    /// How long a session that this shell holds must still last to be used [default: 15m]
    #[arg(long, value_name = "TIME")]
    pub(crate) min_ttl: Option<String>,

    /// The command and its arguments [default: your shell]
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// Say what this shell holds, and for how long
///
/// From the environment alone: no file is read, and nobody is asked without `--check`.
#[derive(Args)]
#[command(after_help = "Exit status: 0 a session is held, 1 none is, or it has expired, or the check failed.

The fields of the JSON, each always there, and null where it isn't known:
  state                held, expired, incomplete, foreign (keys that aren't awsmfa's), none
  access_key_id        of the keys in the environment
  profile, account, role, region, mfa_device
  kind                 user, role
  expiration           RFC 3339, UTC
  seconds_left         0 once it has expired
  missing, in_the_way  names of variables
  caller               the ARN that --check found")]
pub(crate) struct StatusOptions {
    /// How to say it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: StatusFormat,

    /// Ask AWS whose the keys are, and whether they work (GetCallerIdentity)
    #[arg(long)]
    pub(crate) check: bool,
}

/// For whom `status` writes.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum StatusFormat {
    /// Lines for people
    #[default]
    Text,
    /// One object for programs
    Json,
    /// `msgcxp 11h42m` or `msgcxp expired` for a shell's prompt; nothing where no session is held
    Prompt,
}

/// Put a session into this shell: what `env` prints, applied (see `awsmfa init --help`)
///
/// `awsmfa use -` goes back to the profile before. `awsmfa off` takes the session away again.
#[derive(Args)]
pub(crate) struct UseOptions {
    /// The profile, as with `--profile`; `-` is the one before
    #[arg(value_name = "PROFILE", conflicts_with = "profile", add = ArgValueCompleter::new(completion::profiles))]
    pub(crate) name: Option<String>,

    #[command(flatten)]
    pub(crate) session: SessionOptions,
}

/// Print what makes `awsmfa use`, `awsmfa off` and completion work in your shell
///
/// The shell evaluates it when it starts, from then on `awsmfa` is a function around the program.
#[derive(Args)]
#[command(after_help = "How to load it, in the file that your shell reads when it starts:
  bash         eval \"$(awsmfa init bash)\"                 ~/.bashrc
  zsh          eval \"$(awsmfa init zsh)\"                  ~/.zshrc, after compinit
  sh           eval \"$(awsmfa init sh)\"                   the file that ENV names
  fish         awsmfa init fish | source                  ~/.config/fish/config.fish
  PowerShell   awsmfa init powershell | Out-String | Invoke-Expression          $PROFILE
  cmd          for /f \"delims=\" %i in ('awsmfa init cmd') do @%i              by hand, in each window

nushell, elvish, tcsh and xonsh have none yet: `awsmfa env` does the work there.")]
pub(crate) struct InitOptions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Print what completes awsmfa's command line in your shell, without the rest of `init`
#[derive(Args)]
pub(crate) struct CompletionsOptions {
    /// The shell: bash, zsh, fish or powershell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Answer a shell that asks for completions
#[derive(Args)]
#[command(hide = true)]
pub(crate) struct CompleteOptions {
    /// The shell that asks
    #[arg(value_enum)]
    pub(crate) shell: Shell,

    /// The word at the cursor, as far as it is typed
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) word: OsString,

    /// The words before it
    #[arg(last = true)]
    pub(crate) words: Vec<OsString>,
}

/// Which session is wanted.
#[derive(Args)]
pub(crate) struct SessionOptions {
    /// The profile [default: AWS_PROFILE, the profile of the session in this shell, AWS_DEFAULT_PROFILE, `default`]
    #[arg(short, long, value_name = "NAME", add = ArgValueCompleter::new(completion::profiles))]
    pub(crate) profile: Option<String>,

    /// The code that the MFA device shows; `-` reads it from standard input [default: AWSMFA_TOKEN_CODE, else asked for]
    ///
    /// On the command line others on this machine can see it, but a code works once.
    #[arg(short, long, value_name = "CODE", allow_hyphen_values = true)]
    pub(crate) token_code: Option<String>,

    /// The MFA device: an ARN, or a hardware token's number
    ///
    /// Without it: for a user, AWS_MFA_SERIAL, then the profile's `mfa_serial`, then the device named like the user. For a
    /// role, `mfa_serial` of its profile or its source profile, and no MFA where neither has one.
    #[arg(long, value_name = "SERIAL")]
    pub(crate) serial_number: Option<String>,

    /// How long the session lasts: seconds, or `12h`, `90m`
    ///
    /// From 900 to 129600 seconds for a user (12h if nothing is said; AWSMFA_DURATION_SECONDS changes that), to 43200 for a
    /// role (1h), and no more than the role's own maximum.
    #[arg(short, long, value_name = "TIME")]
    pub(crate) duration_seconds: Option<String>,

    /// Assume this role with the profile's keys
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: Option<String>,

    /// The name of the role's session, for CloudTrail [default: awsmfa]
    #[arg(long, value_name = "NAME")]
    pub(crate) role_session_name: Option<String>,

    /// The external ID that the role's owner asks for
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,

    /// The region [default: AWS_REGION, AWS_DEFAULT_REGION, the profile's]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Say which calls would be made, with whose keys and which device, and make none
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print no notes, only errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}
