//! `onggi admin user …`

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::admin_api::message::{CreateUser, UpdateUser, User, Users};
use crate::cli::admin_client::AdminClient;
use crate::cli::https::segment;
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
        /// Read a password for the drive from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set the password for the drive; every sign-in and app password of the user is over
    SetPassword {
        name: String,
        /// Read the password from standard input; the only way, as other users of the machine can see arguments
        #[arg(long, required = true)]
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
        UserCommand::Create { name, admin, quota, password_stdin } => {
            let password = if password_stdin { Some(read_password()?) } else { None };
            let request = CreateUser { name, admin, quota_bytes: quota.map(|quota| quota.0), password };
            let user: User = client.post("/users", &request).await?;
            print_users(vec![user], json)
        }
        UserCommand::SetPassword { name, password_stdin: _ } => {
            update(client, &name, &UpdateUser { password: Some(read_password()?), ..UpdateUser::default() }, json).await
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

/// The first line: `echo` ends it, and so does whoever types it.
fn read_password() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!password.is_empty(), "--password-stdin: no password came on standard input");
    Ok(password.to_owned())
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
