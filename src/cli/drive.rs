//! `onggi drive …`: a drive from a terminal, over the drive's own API.
//! Owns: the verbs and their flags. Each verb is a function of one file below.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

mod account;
mod client;
mod download;
mod entries;
mod links;
mod message;
mod parallel_upload;
mod retry;
mod revisions;
mod rewind;
mod session;
mod sync;
mod upload;

use client::DriveClient;

#[derive(Debug, Args)]
pub struct DriveArguments {
    /// Where sign-ins and unfinished uploads are kept
    #[arg(long, global = true, value_name = "DIR", env = "ONGGI_DRIVE_HOME")]
    home: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Sign in to a drive
    Login(account::LoginArguments),
    #[command(flatten)]
    SignedIn(SignedIn),
}

/// What needs a drive.
#[derive(Debug, Subcommand)]
enum SignedIn {
    /// Sign out: the tokens are revoked and forgotten
    Logout,
    /// Show who is signed in, and how much room there is
    Account,
    /// List a folder
    Ls {
        #[arg(default_value = "/")]
        path: String,
        /// With what is in its folders
        #[arg(short, long)]
        recursive: bool,
    },
    /// Upload files and folders
    Put(upload::PutArguments),
    /// Download a file or folder
    Get(download::GetArguments),
    /// Make a folder
    Mkdir { path: String },
    /// Move or rename
    Mv { from: String, to: String },
    /// Copy
    Cp { from: String, to: String },
    /// Put into the trash
    Rm { path: String },
    /// Show the trash
    Trash,
    /// Take an item out of the trash, by the number that `trash` shows
    Undelete {
        item: String,
        /// Elsewhere than where it was
        #[arg(long)]
        to: Option<String>,
    },
    /// List the revisions of a file
    Versions {
        path: String,
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Make a link that lets in who has no account
    Share(links::ShareArguments),
    /// List links: of one file or folder, or all
    Links { path: Option<String> },
    /// Revoke a link, by the id that `links` shows
    Unshare { link: String },
    /// Keep a folder of this machine and a folder of the drive the same
    Sync(sync::SyncArguments),
    /// Bring a folder back to how it was at a time
    Rewind(rewind::RewindArguments),
    /// Make an old revision the current one
    Restore { path: String, rev: String },
}

pub async fn run(arguments: DriveArguments) -> Result<()> {
    let DriveArguments { home, json, verb } = arguments;
    let home = account::home(home)?;
    let verb = match verb {
        Verb::Login(login) => return account::login(&home, login).await,
        Verb::SignedIn(verb) => verb,
    };
    let client = DriveClient::signed_in(&home)?;
    match verb {
        SignedIn::Logout => account::logout(&client).await,
        SignedIn::Account => account::show(&client, json).await,
        SignedIn::Ls { path, recursive } => entries::list(&client, &path, recursive, json).await,
        SignedIn::Put(put) => upload::put(&client, &home, put).await,
        SignedIn::Get(get) => download::get(&client, get).await,
        SignedIn::Mkdir { path } => entries::create_folder(&client, &path, json).await,
        SignedIn::Mv { from, to } => entries::relocate(&client, "move", &from, &to, json).await,
        SignedIn::Cp { from, to } => entries::relocate(&client, "copy", &from, &to, json).await,
        SignedIn::Rm { path } => entries::delete(&client, &path, json).await,
        SignedIn::Trash => entries::trash(&client, json).await,
        SignedIn::Undelete { item, to } => entries::undelete(&client, &item, to, json).await,
        SignedIn::Versions { path, limit } => revisions::list(&client, &path, limit, json).await,
        SignedIn::Rewind(arguments) => rewind::rewind(&client, arguments, json).await,
        SignedIn::Share(share) => links::share(&client, share, json).await,
        SignedIn::Links { path } => links::list(&client, path, json).await,
        SignedIn::Unshare { link } => links::revoke(&client, &link).await,
        SignedIn::Sync(arguments) => sync::sync(client, arguments, json).await,
        SignedIn::Restore { path, rev } => revisions::restore(&client, &path, &rev, json).await,
    }
}
