//! Signals: waiting for one that ends awsmfa, and dying of it, so that the shell that called sees what happened.

use std::io;

/// The number of a signal, on Windows always that of Ctrl-C.
pub(crate) type Signal = i32;

/// Waits for a signal that asks the process to end. While it waits, none of them ends the process by itself.
///
/// # Errors
/// The handlers can't be installed.
#[cfg(unix)]
pub(crate) async fn termination() -> io::Result<Signal> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut quit = signal(SignalKind::quit())?;
    let kind = tokio::select! {
        _ = interrupt.recv() => SignalKind::interrupt(),
        _ = terminate.recv() => SignalKind::terminate(),
        _ = hangup.recv() => SignalKind::hangup(),
        _ = quit.recv() => SignalKind::quit(),
    };
    Ok(kind.as_raw_value())
}

/// Waits for Ctrl-C.
///
/// # Errors
/// The handler can't be installed.
#[cfg(windows)]
pub(crate) async fn termination() -> io::Result<Signal> {
    tokio::signal::ctrl_c().await.map(|()| 2)
}

/// Ends the process as the signal would have: a script stops at Ctrl-C only when its child *died* of it. Returns where
/// that isn't possible.
pub(crate) fn die_of(signal: Signal) {
    #[cfg(unix)]
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    #[cfg(windows)]
    let _ = signal;
}
