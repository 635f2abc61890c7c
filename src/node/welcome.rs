//! Welcome: what a node prints when it is ready.
//! Owns: the ready line that programs wait for, first credentials, and commands to paste.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::root_credentials;
use crate::services::KeyPair;

pub struct Welcome {
    pub s3: SocketAddr,
    pub s3_tls: bool,
    pub web: SocketAddr,
    pub data_dir: PathBuf,
    pub authority: Option<PathBuf>,
    /// `None`: made at an earlier start and not kept on this drive.
    pub credentials: Option<KeyPair>,
    pub first_start: bool,
}

impl Welcome {
    /// `onggi ready s3=URL web=URL`: stable, for programs.
    pub fn ready_line(&self) -> String {
        format!("onggi ready s3={} web=https://{}", self.s3_url(), self.web)
    }

    /// Shown once: when the credentials were made.
    pub fn first_credentials(&self) -> Option<String> {
        let credentials = self.credentials.as_ref().filter(|_| self.first_start)?;
        let path = root_credentials::path(&self.data_dir);
        Some(format!("{}kept in     {} (0600)\n", credentials_text(credentials), path.display()))
    }

    /// How to reach the node, and three commands to try.
    pub fn text(&self) -> String {
        let mut text = format!("\nS3 endpoint {}\nadmin API   https://{}\n", self.s3_url(), self.web);
        match &self.credentials {
            Some(credentials) => text.push_str(&credentials_text(credentials)),
            None => text.push_str("credentials those that the cluster was created with\n"),
        }
        text.push_str("\nTry it, in another terminal:\n\n");
        for command in self.commands() {
            text.push_str(&format!("  {command}\n"));
        }
        text
    }

    fn commands(&self) -> [String; 3] {
        let keys = match &self.credentials {
            Some(credentials) => {
                let (access_key, secret_key) = (&credentials.access_key, credentials.secret.expose());
                format!("AWS_ACCESS_KEY_ID={access_key} AWS_SECRET_ACCESS_KEY={secret_key} ")
            }
            None => String::new(),
        };
        let trust = match self.authority.as_ref().filter(|_| self.s3_tls) {
            Some(path) => format!("AWS_CA_BUNDLE={} ", path.display()),
            None => String::new(),
        };
        let endpoint = self.s3_url();
        [
            format!("export {keys}{trust}AWS_REGION=us-east-1 AWS_ENDPOINT_URL={endpoint}"),
            "aws s3 mb s3://first && aws s3 cp --recursive /usr/share/doc s3://first/doc".into(),
            "aws s3 ls --recursive --human-readable --summarize s3://first".into(),
        ]
    }

    fn s3_url(&self) -> String {
        format!("{}://{}", if self.s3_tls { "https" } else { "http" }, self.s3)
    }
}

fn credentials_text(credentials: &KeyPair) -> String {
    format!("access key  {}\nsecret key  {}\n", credentials.access_key, credentials.secret.expose())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::services::Secret;

    #[test]
    fn what_is_printed() {
        let welcome = Welcome {
            s3: ([127, 0, 0, 1], 9000).into(),
            s3_tls: false,
            web: ([127, 0, 0, 1], 9001).into(),
            data_dir: "onggi-data".into(),
            authority: None,
            credentials: Some(KeyPair { access_key: "OGKEY".into(), secret: Secret::new("secret") }),
            first_start: true,
        };
        expect!["onggi ready s3=http://127.0.0.1:9000 web=https://127.0.0.1:9001"].assert_eq(&welcome.ready_line());
        expect![[r#"
            access key  OGKEY
            secret key  secret
            kept in     onggi-data/root-credentials (0600)
        "#]]
        .assert_eq(&welcome.first_credentials().unwrap());
        expect![[r#"

            S3 endpoint http://127.0.0.1:9000
            admin API   https://127.0.0.1:9001
            access key  OGKEY
            secret key  secret

            Try it, in another terminal:

              export AWS_ACCESS_KEY_ID=OGKEY AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1 AWS_ENDPOINT_URL=http://127.0.0.1:9000
              aws s3 mb s3://first && aws s3 cp --recursive /usr/share/doc s3://first/doc
              aws s3 ls --recursive --human-readable --summarize s3://first
        "#]]
        .assert_eq(&welcome.text());
        assert_eq!(Welcome { first_start: false, ..welcome }.first_credentials(), None);
    }
}
