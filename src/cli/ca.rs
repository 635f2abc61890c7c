//! `onggi admin ca`: where the certificate is that clients of this node must trust.

use crate::cli::admin::ConnectionArguments;
use crate::cli::output;
use crate::gateway::tls::authority_path;

pub fn run(connection: &ConnectionArguments) -> anyhow::Result<()> {
    let path = authority_path(&connection.data_dir);
    let path = std::path::absolute(&path).unwrap_or(path);
    anyhow::ensure!(
        path.exists(),
        "{} is not there: start the node once, or name its data directory with --data-dir",
        path.display()
    );
    match connection.json {
        true => output::print_json(&serde_json::json!({ "ca": path })),
        false => {
            println!("{}", path.display());
            Ok(())
        }
    }
}
