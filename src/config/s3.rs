//! Settings of the S3 listener and of what the S3 API accepts.

use std::net::SocketAddr;

use crate::config::section::section;

section! {
    /// The S3 API.
    S3Config in "s3" {
        /// Where S3 clients connect.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9000)), flag "--s3-listen";
        /// Serve HTTPS instead of plain HTTP, with the certificate of `[tls]`.
        tls: bool = false, flag "--tls";
        /// Allow plain HTTP on an address other than loopback, for a node behind a proxy that ends TLS.
        plain_http: bool = false;
        /// Domains below which a bucket is a host name (`BUCKET.DOMAIN`); path-style addresses always work.
        domains: Vec<String> = Vec::new();
        /// The region that requests must be signed for and that GetBucketLocation answers; empty accepts any.
        region: String = String::new(), flag "--region";
        /// How clients outside reach the S3 API (`https://s3.example`), for addresses that the drive presigns; empty: at the host by which they reach the drive, and the port of `listen`.
        public_url: String = String::new();
        /// Accept Signature Version 2 in presigned URLs and browser forms, where boto3 still makes it by default; it is never accepted in headers.
        sigv2: bool = true;
    }
    problems: |s3| {
        let exposed = !s3.tls && !s3.plain_http && !s3.listen.ip().is_loopback();
        let mut problems = Vec::new();
        if exposed {
            problems.push(format!(
                "`s3.listen` is {}, which others can reach, without TLS: set `s3.tls = true` (--tls), or `s3.plain_http = true` \
                 if a proxy in front ends TLS",
                s3.listen
            ));
        }
        problems
    }
}
