//! The command line against the configuration: flags that the reference page names exist, and the other way round.

use clap::CommandFactory;

use super::Cli;
use crate::config::Config;

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_flag_of_a_setting_exists() {
    let cli = Cli::command();
    let server = cli.find_subcommand("server").unwrap();
    let flags: Vec<String> =
        server.get_arguments().filter_map(|argument| argument.get_long()).map(|long| format!("--{long}")).collect();
    for key in Config::keys() {
        if let Some(flag) = key.flag {
            assert!(flags.iter().any(|known| known == flag), "{flag} of {} is no flag of `onggi server`", key.path());
        }
    }
}
