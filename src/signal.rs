//! Signals: waiting for one that ends awsmfa, and dying of it, so that the shell that called sees what happened.

use std::io;

#[cfg(unix)]
use signal_hook::consts::SIGCONT;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

/// The number of a signal, on Windows always that of Ctrl-C.
pub(crate) type Signal = i32;

/// Waits for a signal that asks the process to end. While it waits, none of them ends the process by itself.
///
/// # Errors
/// The handlers can't be installed.
#[cfg(unix)]
pub(crate) async fn termination() -> io::Result<Signal> {
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

/// Listens, from now on, for the process going on after it was stopped (Ctrl-Z and `fg`); each call waits for the next
/// time. On Windows nothing stops a process for a while.
///
/// # Errors
/// The handler can't be installed.
#[cfg_attr(windows, allow(clippy::unnecessary_wraps, reason = "it can fail elsewhere"))]
pub(crate) fn resumption() -> io::Result<impl AsyncFnMut()> {
    #[cfg(unix)]
    let mut resumed = signal(SignalKind::from_raw(SIGCONT))?;
    Ok(async move || {
        #[cfg(unix)]
        resumed.recv().await;
        #[cfg(windows)]
        std::future::pending::<()>().await;
    })
}

/// Ends the process as the signal would have: a script stops at Ctrl-C only when its child *died* of it. Returns where
/// that isn't possible.
pub(crate) fn die_of(signal: Signal) {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        // SIGQUIT would leave a core file behind, with the keys in it.
        let maximum = getrlimit(Resource::Core).maximum;
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    #[cfg(windows)]
    let _ = signal;
}
