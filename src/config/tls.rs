//! Settings of the certificate that both listeners show.

use std::path::PathBuf;

use crate::config::section::section;

section! {
    /// The certificate of the web listener, and of the S3 listener when `s3.tls` is set.
    TlsConfig in "tls" {
        /// PEM file with the certificate and its chain. Read again when it changes and on SIGHUP. Without one, a local
        /// authority in `<data-dir>/tls` issues the certificate; `onggi admin ca` prints where it is.
        certificate: Option<PathBuf> = None;
        /// PEM file with the certificate's private key.
        private_key: Option<PathBuf> = None;
        /// Names and IP addresses in the certificate of the local authority, besides this host's name, `localhost`, the
        /// listen addresses and `s3.domains`.
        names: Vec<String> = Vec::new();
    }
    problems: |tls| match (&tls.certificate, &tls.private_key) {
        (Some(_), None) => vec!["`tls.certificate` is set without `tls.private_key`: set both or none".into()],
        (None, Some(_)) => vec!["`tls.private_key` is set without `tls.certificate`: set both or none".into()],
        _ => Vec::new(),
    }
}
