//! `onggi admin`: the flags that all of its verbs share.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::admin_client::AdminClient;
use crate::cli::{bucket, ca, cluster, group, key, node, scrub, status, token, user};

#[derive(Debug, Args)]
pub struct AdminArguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
    #[command(subcommand)]
    noun: Noun,
}

/// How a node is found and trusted.
#[derive(Debug, Args)]
pub struct ConnectionArguments {
    /// Address of the node's web listener
    #[arg(long, global = true, value_name = "URL", env = "ONGGI_ENDPOINT", default_value = "https://127.0.0.1:9001")]
    pub endpoint: String,
    /// Data directory of a node on this machine: its authority is trusted and its root credentials are used
    #[arg(long, global = true, value_name = "DIR", env = "ONGGI_DATA_DIR", default_value = "./onggi-data")]
    pub data_dir: PathBuf,
    /// Certificate authority to trust instead of the one in the data directory (PEM)
    #[arg(long, global = true, value_name = "FILE", env = "ONGGI_CA")]
    pub ca: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Users, who own buckets
    #[command(subcommand)]
    User(user::UserCommand),
    /// Access keys of users
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Buckets of all users
    #[command(subcommand)]
    Bucket(bucket::BucketCommand),
    /// The cluster as a whole
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Raft groups, each of which decides about some users
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Nodes of the cluster
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// Tokens with which nodes join
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// How the node is
    Status,
    /// Reading everything the drive holds, to find damage before it is needed
    #[command(subcommand)]
    Scrub(scrub::ScrubCommand),
    /// Print the path of the local certificate authority
    Ca,
}

pub async fn run(arguments: AdminArguments) -> anyhow::Result<()> {
    let AdminArguments { connection, noun } = arguments;
    if matches!(noun, Noun::Ca) {
        return ca::run(&connection);
    }
    let client = AdminClient::new(&connection)?;
    let json = connection.json;
    match noun {
        Noun::User(command) => user::run(&client, command, json).await,
        Noun::Key(command) => key::run(&client, command, json).await,
        Noun::Bucket(command) => bucket::run(&client, command, json).await,
        Noun::Cluster(command) => cluster::run(&client, command, json).await,
        Noun::Group(command) => group::run(&client, command, json).await,
        Noun::Node(command) => node::run(&client, command, json).await,
        Noun::Token(command) => token::run(&client, command, json).await,
        Noun::Status => status::run(&client, json).await,
        Noun::Scrub(command) => scrub::run(&client, command, json).await,
        Noun::Ca => Ok(()),
    }
}
