//! `onggi admin user …`

use anyhow::Result;
use clap::Subcommand;

use crate::admin_api::message::{CreateUser, UpdateUser, User, Users};
use crate::cli::admin_client::{AdminClient, segment};
use crate::cli::output;
use crate::config::setting::{ByteSize, Setting};

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user; give them an access key with `onggi admin key create`
    Create {
        name: String,
        /// May use the admin API
        #[arg(long)]
        admin: bool,
        /// Bytes that their buckets may hold, like 50GiB
        #[arg(long, value_name = "SIZE", value_parser = ByteSize::parse)]
        quota: Option<ByteSize>,
        /// Password for the drive; this version has no drive and refuses it
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all users
    List,
    /// Let a user in again
    Enable { name: String },
    /// Refuse every request of a user; their data stays
    Disable { name: String },
    /// Set or remove the quota
    Quota {
        name: String,
        /// Like 50GiB, or none
        #[arg(value_parser = parse_quota)]
        quota: Quota,
    },
    /// Delete a user who owns no bucket, with their keys
    Delete { name: String },
}

#[derive(Clone, Copy, Debug)]
pub enum Quota {
    None,
    Bytes(u64),
}

fn parse_quota(text: &str) -> Result<Quota, String> {
    match text {
        "none" => Ok(Quota::None),
        _ => ByteSize::parse(text).map(|size| Quota::Bytes(size.0)).map_err(|fix| format!("{fix}, or `none`")),
    }
}

pub async fn run(client: &AdminClient, command: UserCommand, json: bool) -> Result<()> {
    match command {
        UserCommand::Create { password_stdin: true, .. } => {
            anyhow::bail!(
                "--password-stdin: passwords belong to the drive, which this version does not have; leave it out"
            )
        }
        UserCommand::Create { name, admin, quota, .. } => {
            let request = CreateUser { name, admin, quota_bytes: quota.map(|quota| quota.0) };
            let user: User = client.post("/users", &request).await?;
            print_users(vec![user], json)
        }
        UserCommand::List => {
            let Users { users } = client.get("/users").await?;
            print_users(users, json)
        }
        UserCommand::Enable { name } => set_enabled(client, &name, true, json).await,
        UserCommand::Disable { name } => set_enabled(client, &name, false, json).await,
        UserCommand::Quota { name, quota } => {
            let request = match quota {
                Quota::None => UpdateUser { remove_quota: true, ..UpdateUser::default() },
                Quota::Bytes(bytes) => UpdateUser { quota_bytes: Some(bytes), ..UpdateUser::default() },
            };
            update(client, &name, &request, json).await
        }
        UserCommand::Delete { name } => {
            client.delete(&format!("/users/{}", segment(&name))).await?;
            output::done(json, &format!("user {name} is deleted"))
        }
    }
}

async fn set_enabled(client: &AdminClient, name: &str, enabled: bool, json: bool) -> Result<()> {
    update(client, name, &UpdateUser { enabled: Some(enabled), ..UpdateUser::default() }, json).await
}

async fn update(client: &AdminClient, name: &str, request: &UpdateUser, json: bool) -> Result<()> {
    let user: User = client.patch(&format!("/users/{}", segment(name)), request).await?;
    print_users(vec![user], json)
}

fn print_users(users: Vec<User>, json: bool) -> Result<()> {
    if json {
        return output::print_json(&Users { users });
    }
    let row = |user: &User| {
        vec![
            user.name.clone(),
            output::yes_no(user.enabled),
            output::yes_no(user.admin),
            output::quota(user.quota_bytes),
            output::time(user.created_ms),
        ]
    };
    let rows: Vec<_> = users.iter().map(row).collect();
    print!("{}", output::table(&["NAME", "ENABLED", "ADMIN", "QUOTA", "CREATED"], &rows));
    Ok(())
}
