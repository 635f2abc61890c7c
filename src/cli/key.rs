//! `onggi admin key …`

use anyhow::Result;
use clap::Subcommand;

use crate::admin_api::message::{CreateKey, CreatedKey, Key, Keys, UpdateKey};
use crate::cli::admin_client::AdminClient;
use crate::cli::https::segment;
use crate::cli::output;

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make an access key; its secret is shown once
    Create {
        user: String,
        /// What the key is for
        #[arg(long, default_value = "")]
        description: String,
    },
    /// List the keys of a user; secrets are never shown again
    List { user: String },
    /// Accept a key again
    Enable { access_key: String },
    /// Refuse a key from now on
    Disable { access_key: String },
    /// Delete a key
    Delete { access_key: String },
}

pub async fn run(client: &AdminClient, command: KeyCommand, json: bool) -> Result<()> {
    match command {
        KeyCommand::Create { user, description } => {
            let path = format!("/users/{}/keys", segment(&user));
            let created: CreatedKey = client.post(&path, &CreateKey { description }).await?;
            if json {
                return output::print_json(&created);
            }
            println!("access key  {}\nsecret key  {}\n", created.access_key, created.secret_key);
            println!("The secret is not shown again.");
            Ok(())
        }
        KeyCommand::List { user } => {
            let keys: Keys = client.get(&format!("/users/{}/keys", segment(&user))).await?;
            if json {
                return output::print_json(&keys);
            }
            let row = |key: &Key| {
                let enabled = output::yes_no(key.enabled);
                vec![key.access_key.clone(), enabled, output::time(key.created_ms), key.description.clone()]
            };
            let rows: Vec<_> = keys.keys.iter().map(row).collect();
            print!("{}", output::table(&["ACCESS KEY", "ENABLED", "CREATED", "DESCRIPTION"], &rows));
            Ok(())
        }
        KeyCommand::Enable { access_key } => set_enabled(client, &access_key, true, json).await,
        KeyCommand::Disable { access_key } => set_enabled(client, &access_key, false, json).await,
        KeyCommand::Delete { access_key } => {
            client.delete(&format!("/keys/{}", segment(&access_key))).await?;
            output::done(json, &format!("key {access_key} is deleted"))
        }
    }
}

async fn set_enabled(client: &AdminClient, access_key: &str, enabled: bool, json: bool) -> Result<()> {
    let _: Key = client.patch(&format!("/keys/{}", segment(access_key)), &UpdateKey { enabled }).await?;
    let state = if enabled { "enabled" } else { "disabled" };
    output::done(json, &format!("key {access_key} is {state}"))
}
