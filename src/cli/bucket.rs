//! `onggi admin bucket …`

use anyhow::Result;
use clap::Subcommand;

use crate::admin_api::message::{Bucket, Buckets};
use crate::cli::admin_client::AdminClient;
use crate::cli::https::segment;
use crate::cli::output;

#[derive(Debug, Subcommand)]
pub enum BucketCommand {
    /// List buckets with their exact counts
    List {
        /// Only those of this user
        #[arg(long)]
        user: Option<String>,
    },
}

pub async fn run(client: &AdminClient, command: BucketCommand, json: bool) -> Result<()> {
    let BucketCommand::List { user } = command;
    let path = match user {
        Some(user) => format!("/buckets?user={}", segment(&user)),
        None => "/buckets".to_string(),
    };
    let buckets: Buckets = client.get(&path).await?;
    if json {
        return output::print_json(&buckets);
    }
    let row = |bucket: &Bucket| {
        vec![
            bucket.name.clone(),
            bucket.owner.clone(),
            bucket.objects.to_string(),
            bucket.versions.to_string(),
            bucket.uploads.to_string(),
            output::bytes(bucket.bytes),
            bucket.versioning.clone(),
        ]
    };
    let rows: Vec<_> = buckets.buckets.iter().map(row).collect();
    print!("{}", output::table(&["NAME", "OWNER", "OBJECTS", "VERSIONS", "UPLOADS", "BYTES", "VERSIONING"], &rows));
    Ok(())
}
