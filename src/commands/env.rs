//! `awsmfa env`: a session as statements for the running shell, or as a document for another program.

use crate::ambient::{self, Ambient};
use crate::cli::EnvOptions;
use crate::environment::{self, AWS_DEFAULT_PROFILE, AWS_PROFILE, AWSMFA_PROFILE};
use crate::error::Error;
use crate::format::{self, Format};
use crate::session::{Bought, Order};
use crate::shell::{Shell, Style};
use crate::terminal;

/// Prints the block that puts a session into the shell, the one that takes it away, or a session as a document.
///
/// # Errors
/// Whatever stands in the way. Then nothing is printed.
pub(crate) fn run(options: &EnvOptions, ambient: &Ambient) -> Result<(), Error> {
    let order = Order::new(&options.session, ambient);
    match &options.section {
        Some(_) if options.format != Some(Format::Ini) => return Err(Error::SectionWithoutIni),
        Some(section) => format::check_section(section)?,
        None => {}
    }
    if options.session.dry_run {
        return super::show(&order.plan()?.1.to_string());
    }
    let Some(format) = options.format else {
        return statements(options, &order, ambient);
    };
    let section = options.section.clone().unwrap_or_else(|| format!("{}-sts", order.profile()));
    let changes = buy(&order, options)?.elsewhere();
    super::print(&format.render(&changes, &section)?)
}

fn statements(options: &EnvOptions, order: &Order, ambient: &Ambient) -> Result<(), Error> {
    let quiet = options.session.quiet;
    let shell = options.shell.unwrap_or_else(|| ambient.shell());
    let style = Style { persist: !options.no_setx, warn: !quiet };
    let regions = order.stale_regions();
    let changes = if options.unset {
        environment::of_nothing(&regions)
    } else {
        // Known before a code is asked for; the rest is of letters that every shell can carry.
        shell.check(AWSMFA_PROFILE, order.profile())?;
        buy(order, options)?.changes(&regions)
    };
    let block = shell.render(&changes, style)?;
    if !quiet && shell == Shell::Cmd && style.persist && !options.unset {
        warn_of_registry(ambient);
    }
    super::print(&block)?;
    if !quiet && ambient::stdout_is_terminal() {
        // Below the block, where it is seen.
        let line = shell.one_liner(&command_line(options, shell));
        terminal::say(&format!("awsmfa: nothing is set yet; to apply this to your shell, type: {line}"));
    }
    Ok(())
}

fn buy(order: &Order, options: &EnvOptions) -> Result<Bought, Error> {
    let bought = order.buy()?;
    if !options.session.quiet {
        bought.announce();
    }
    Ok(bought)
}

/// `SETX` keeps the session after the window is closed, and doesn't touch what the person stored there.
fn warn_of_registry(ambient: &Ambient) {
    terminal::say(
        "awsmfa: SETX stores these values in the registry (HKCU\\Environment) for new windows; to remove them: \
         for /f \"delims=\" %i in ('awsmfa env --unset --shell cmd') do @%i >NUL 2>&1",
    );
    for name in [AWS_PROFILE, AWS_DEFAULT_PROFILE] {
        if ambient.variable(name).is_some() {
            terminal::say(&format!(
                "awsmfa: {name} is cleared in this window; if you stored it with SETX, it outranks the session in new ones; \
                 to remove it: REG DELETE HKCU\\Environment /F /V {name}"
            ));
        }
    }
}

/// The command line that was typed, without the token code, which is spent.
fn command_line(options: &EnvOptions, shell: Shell) -> String {
    let session = &options.session;
    let valued = [
        ("-p", &session.profile),
        ("--serial-number", &session.serial_number),
        ("-d", &session.duration_seconds),
        ("--role-arn", &session.role_arn),
        ("--role-session-name", &session.role_session_name),
        ("--external-id", &session.external_id),
        ("--region", &session.region),
    ];
    let mut words = vec!["awsmfa env".to_owned()];
    for (option, value) in valued {
        words.extend(value.iter().map(|value| format!("{option} {}", shell.word(value))));
    }
    words.extend(options.shell.map(|shell| format!("-s {}", shell.name())));
    words.extend(options.unset.then(|| "--unset".to_owned()));
    words.extend(options.no_setx.then(|| "--no-setx".to_owned()));
    words.join(" ")
}
