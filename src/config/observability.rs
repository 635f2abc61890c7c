//! Settings of logs.

use crate::config::section::section;
use crate::config::setting::Setting;

section! {
    /// Logs, on standard error.
    ObservabilityConfig in "observability" {
        /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`), or directives such as
        /// `info,onggi::gateway=debug`.
        log: String = String::from("info"), flag "--log";
        /// `text` for people, `json` for machines.
        log_format: LogFormat = LogFormat::Text, flag "--log-format";
        /// One line per request, at level `info` of `onggi::access`.
        access_log: bool = true;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Setting for LogFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("write `text` or `json`".into()),
        }
    }

    fn text(&self) -> String {
        match self {
            LogFormat::Text => "text".into(),
            LogFormat::Json => "json".into(),
        }
    }
}
