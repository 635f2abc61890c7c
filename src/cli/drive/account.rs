//! Sign in, sign out, and who one is.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, Method};
use serde_json::Value;

use super::client::{DriveClient, SignIn, whole};
use crate::cli::output;

#[derive(Debug, Args)]
pub struct LoginArguments {
    /// Address of a node's web listener
    #[arg(default_value = "https://127.0.0.1:9001")]
    endpoint: String,
    /// Name of the user
    #[arg(long)]
    user: String,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Certificate authority to trust (PEM); that of a node on this machine if it is not named
    #[arg(long, value_name = "FILE", env = "ONGGI_CA")]
    ca: Option<PathBuf>,
    /// Data directory of a node on this machine
    #[arg(long, value_name = "DIR", env = "ONGGI_DATA_DIR", default_value = "./onggi-data")]
    data_dir: PathBuf,
    /// What this machine is called in the list of sign-ins and in the history of files
    #[arg(long)]
    device: Option<String>,
}

/// `$ONGGI_DRIVE_HOME`, or a folder of the user's own.
pub fn home(given: Option<PathBuf>) -> Result<PathBuf> {
    let of_user = || {
        let configuration = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        configuration.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))
    };
    let home = given.or_else(|| of_user().map(|folder| folder.join("onggi-drive")));
    let home = home.ok_or_else(|| anyhow!("neither HOME nor ONGGI_DRIVE_HOME says where to keep sign-ins"))?;
    std::fs::create_dir_all(&home).with_context(|| format!("create {}", home.display()))?;
    Ok(home)
}

pub async fn login(home: &Path, arguments: LoginArguments) -> Result<()> {
    let LoginArguments { endpoint, user, password_stdin, ca, data_dir, device } = arguments;
    let password = password(password_stdin)?;
    let authority = ca.unwrap_or_else(|| crate::gateway::tls::authority_path(&data_dir));
    let authority = std::path::absolute(&authority).context("the path of the certificate authority")?;
    let sign_in = SignIn {
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        authority,
        user: user.clone(),
        access_token: String::new(),
        refresh_token: String::new(),
    };
    let client = DriveClient::new(home, sign_in)?;
    let device = device.or_else(machine_name).unwrap_or_else(|| "onggi drive".to_owned());
    let fields = [("grant_type", "password"), ("username", &user), ("password", &password), ("device", &device)];
    let response = client.token("/oauth2/token", &fields).await?;
    let is_in = response.status().is_success();
    let body = whole(response).await?;
    if !is_in {
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        bail!("{}", answer["error_description"].as_str().unwrap_or("the server refused the sign-in"));
    }
    client.keep(serde_json::from_slice(&body).context("the server's answer is no token")?)?;
    println!("signed in as {user}");
    Ok(())
}

fn password(from_stdin: bool) -> Result<String> {
    if !from_stdin {
        bail!("the password is read from standard input only: add --password-stdin and pipe it in");
    }
    if std::io::stdin().is_terminal() {
        eprintln!("type the password, then press Ctrl-D twice; it is shown as you type");
    }
    let mut password = String::new();
    std::io::stdin().take(4096).read_to_string(&mut password).context("read the password")?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}

pub fn machine_name() -> Option<String> {
    let name = std::fs::read_to_string("/etc/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

pub async fn logout(client: &DriveClient) -> Result<()> {
    let token = client.sign_in().refresh_token;
    client.token("/oauth2/revoke", &[("token", &token)]).await?;
    client.forget()?;
    println!("signed out");
    Ok(())
}

pub async fn show(client: &DriveClient, json: bool) -> Result<()> {
    let account: Value = client.json(Method::GET, "/account", HeaderMap::new(), Bytes::new()).await?;
    if json {
        return output::print_json(&account);
    }
    let bytes = |name: &str| output::bytes(account["quota"][name].as_u64().unwrap_or(0));
    println!("{} at {}", account["user"].as_str().unwrap_or(client.user()), client.endpoint());
    println!(
        "used {}: files {}, old versions {}, trash {}",
        bytes("used"),
        bytes("live"),
        bytes("versions"),
        bytes("trash")
    );
    if let Some(limit) = account["quota"]["limit"].as_u64() {
        println!("of {}", output::bytes(limit));
    }
    Ok(())
}
