//! Logging: `tracing` events to standard error, as text or JSON lines.

use onggi_cluster::LOG_DIRECTIVES;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::observability::{LogFormat, ObservabilityConfig};

/// Once per process, before the first event. The problem, if `observability.log` does not parse.
pub fn init(config: &ObservabilityConfig) -> Result<(), String> {
    let filter = filter(config)?;
    let subscriber = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = match config.log_format {
        LogFormat::Text => subscriber.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    installed.map_err(|error| format!("logging cannot start: {error}"))
}

fn filter(config: &ObservabilityConfig) -> Result<EnvFilter, String> {
    // An operator's own directive for consensus wins, because it comes later.
    let access_log = if config.access_log { "" } else { ",onggi::access=off" };
    let directives = format!("{LOG_DIRECTIVES},{}{access_log}", config.log);
    EnvFilter::try_new(&directives).map_err(|error| {
        format!(
            "`observability.log`: `{}` does not parse ({error}); write a level like `info`, or `info,onggi=debug`",
            config.log
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_checked_at_start() {
        let with = |log: &str| ObservabilityConfig { log: log.into(), ..ObservabilityConfig::default() };
        assert!(filter(&with("info")).is_ok());
        assert!(filter(&with("warn,onggi::gateway=debug")).is_ok());
        let problem = filter(&with("info,onggi=lod")).unwrap_err();
        assert!(problem.contains("`observability.log`"), "{problem}");
    }
}
