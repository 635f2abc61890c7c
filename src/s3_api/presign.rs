//! Presign: addresses of S3 that carry their signature, for who has no key ("Authenticating requests: using query parameters", Amazon S3 API
//! Reference).

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use percent_encoding::utf8_percent_encode;

use crate::s3_api::auth::canonical::RESERVED;
use crate::services::{BoxError, KeyPair};

/// How clients reach the S3 API.
#[derive(Clone, Debug)]
pub struct Presigner {
    /// `https://s3.example`; `None`: this node, at the host that a request came to.
    pub public_url: Option<String>,
    /// `http` or `https`, and the port, of this node.
    pub scheme: &'static str,
    pub port: u16,
    pub region: String,
}

/// One part of a multipart upload.
pub struct PartAddress<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub upload: String,
    pub number: u16,
}

impl Presigner {
    /// `host`: by which the client reaches this node.
    pub fn base(&self, host: &str) -> String {
        let here = || format!("{}://{host}:{}", self.scheme, self.port);
        self.public_url.as_ref().map_or_else(here, |url| url.trim_end_matches('/').to_owned())
    }

    /// For `PUT` with the part's bytes as body, until `life` is over.
    pub fn upload_part(
        &self,
        base: &str,
        key: &KeyPair,
        part: &PartAddress<'_>,
        life: Duration,
    ) -> Result<String, BoxError> {
        let path: Vec<String> = [part.bucket].into_iter().chain(part.key.split('/')).map(encode).collect();
        let url = format!("{base}/{}?partNumber={}&uploadId={}", path.join("/"), part.number, part.upload);
        let host = base.split_once("://").map_or("", |(_, host)| host);
        let identity = Credentials::new(&key.access_key, key.secret.expose(), None, None, "onggi").into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(life);
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()?
            .into();
        let headers = [("host", host)].into_iter();
        let signable = SignableRequest::new("PUT", url.as_str(), headers, SignableBody::UnsignedPayload)?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let (_, parameters) = instructions.into_parts();
        Ok(parameters.iter().fold(url, |url, (name, value)| format!("{url}&{name}={}", encode(value))))
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
