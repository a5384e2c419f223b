//! `awsmfa use` and `awsmfa off`: what the function of the shell integration evaluates.
//!
//! Where the function isn't loaded, both explain how to load it.

use std::collections::BTreeMap;

use crate::ambient::Ambient;
use crate::cli::UseOptions;
use crate::environment::{self, AWS_PROFILE, AWSMFA_SESSION, Change};
use crate::error::Error;
use crate::held::{Held, Marker, Traces};
use crate::session::Order;
use crate::shell::{Shell, Style};

/// Prints the block that puts a session into the shell, in place of the one that is there.
///
/// # Errors
/// Whatever stands in the way. Then nothing is printed.
pub(crate) fn on(mut options: UseOptions, integration: Option<Shell>, ambient: &Ambient) -> Result<(), Error> {
    let shell = integration.ok_or_else(|| not_loaded("use", ambient))?;
    let held = Held::of(ambient).map(|held| held.profile);
    let previous = Marker::of(ambient).and_then(|marker| marker.previous);
    let named = match options.name.as_deref() {
        Some("-") => Some(previous.clone().ok_or(Error::NoPreviousProfile)?),
        _ => options.name.or(options.session.profile),
    };
    let set_since = || ambient.variable(AWS_PROFILE).map(str::to_owned);
    options.session.profile = named.or_else(set_since).or_else(|| held.clone());

    // The session before goes first, so that this one meets the person's own variables.
    let Traces { taken, set } = Traces::of(ambient);
    let own = taken.iter().map(|(name, value)| (*name, value.as_str()));
    let before = ambient.with(own, &[&[AWSMFA_SESSION], &*set].concat());
    let order = Order::new(&options.session, &before);
    if options.session.dry_run {
        return super::show(&order.plan()?.1.to_string());
    }
    let mut bought = order.buy()?;
    if !options.session.quiet {
        bought.announce();
    }
    bought.remember(&before, held, previous);
    print(shell, give_back(taken).chain(bought.changes(&set)), !options.session.quiet)
}

/// Prints the block that takes the session out of the shell and gives back what `use` took.
///
/// # Errors
/// The integration isn't loaded, or standard output is closed.
pub(crate) fn off(integration: Option<Shell>, ambient: &Ambient) -> Result<(), Error> {
    let shell = integration.ok_or_else(|| not_loaded("off", ambient))?;
    let Traces { taken, set } = Traces::of(ambient);
    print(shell, environment::of_nothing(&set).into_iter().chain(give_back(taken)), false)
}

fn give_back(taken: BTreeMap<&'static str, String>) -> impl Iterator<Item = Change> {
    taken.into_iter().map(|(name, value)| Change::set(name, value))
}

/// Nothing is stored for cmd's new windows: `use` is about this shell alone.
fn print(shell: Shell, changes: impl Iterator<Item = Change>, warn: bool) -> Result<(), Error> {
    let changes: Vec<_> = changes.collect();
    super::print(&shell.render(&changes, Style { persist: false, warn })?)
}

fn not_loaded(command: &'static str, ambient: &Ambient) -> Error {
    let shell = ambient.shell();
    Error::NotLoaded { command, line: shell.one_liner(&format!("awsmfa init {}", shell.name())) }
}
