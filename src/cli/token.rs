//! `onggi admin token …`

use std::time::Duration;

use anyhow::Result;
use clap::Subcommand;

use crate::admin_api::message::{CreateToken, CreatedToken, Token, Tokens};
use crate::cli::admin_client::AdminClient;
use crate::cli::https::segment;
use crate::cli::output;
use crate::config::setting::Setting;

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token with which one node may join; it is shown once
    Create {
        /// How long it may be used, like 30m or 24h
        #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = Duration::parse)]
        expires: Duration,
        /// The zone (rack, room) of the node that joins with it
        #[arg(long, value_name = "NAME")]
        zone: Option<String>,
    },
    /// List tokens; what is secret of them is never shown again
    List,
    /// Take back a token that was not used
    Revoke {
        /// The id that `list` shows
        id: String,
    },
}

pub async fn run(client: &AdminClient, command: TokenCommand, json: bool) -> Result<()> {
    match command {
        TokenCommand::Create { expires, zone } => {
            let request = CreateToken { lifetime_seconds: Some(expires.as_secs()), zone };
            let created: CreatedToken = client.post("/tokens", &request).await?;
            if json {
                return output::print_json(&created);
            }
            println!("id       {}\nexpires  {}\n", created.id, output::time(created.expires_ms));
            println!("On the machine that joins, with an empty data directory:\n");
            println!("  export ONGGI_JOIN_TOKEN={}", created.token);
            println!("  onggi server --join {}", created.join);
            Ok(())
        }
        TokenCommand::List => {
            let Tokens { tokens } = client.get("/tokens").await?;
            print_tokens(tokens, json)
        }
        TokenCommand::Revoke { id } => {
            client.delete(&format!("/tokens/{}", segment(&id))).await?;
            output::done(json, &format!("token {id} is revoked"))
        }
    }
}

fn print_tokens(tokens: Vec<Token>, json: bool) -> Result<()> {
    if json {
        return output::print_json(&Tokens { tokens });
    }
    let row = |token: &Token| {
        vec![
            token.id.clone(),
            token.state.clone(),
            token.used_by.map_or("-".into(), |node| node.to_string()),
            token.zone.clone().unwrap_or_else(|| "-".into()),
            output::time(token.created_ms),
            output::time(token.expires_ms),
        ]
    };
    let rows: Vec<_> = tokens.iter().map(row).collect();
    print!("{}", output::table(&["ID", "STATE", "NODE", "ZONE", "CREATED", "EXPIRES"], &rows));
    Ok(())
}
