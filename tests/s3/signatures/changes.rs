//! What happens to signed requests on their way: one change each.

use super::routes::{BUCKET, OTHER_BUCKET};
use super::signer::{Framed, Proof};
use super::wire::Wire;

pub struct Changes<'a> {
    signed: &'a Wire,
    proof: Proof,
    all: Vec<(String, Wire)>,
}

/// Every changed form of a request that was signed well; none may be accepted.
pub fn changes(signed: &Wire, framed: Option<&Framed>, proof: Proof, other_access_key: &str) -> Vec<(String, Wire)> {
    let mut changes = Changes { signed, proof, all: Vec::new() };
    changes.of_the_request_line();
    changes.of_headers();
    changes.of_the_proof(other_access_key);
    match framed {
        Some(framed) => changes.of_chunks(framed),
        None => changes.of_the_body(),
    }
    changes.all
}

impl Changes<'_> {
    /// A change that does not fit the request changes nothing, and is left out.
    fn add(&mut self, name: impl Into<String>, change: impl FnOnce(&mut Wire)) {
        let mut wire = self.signed.clone();
        change(&mut wire);
        if format!("{wire:?}") != format!("{:?}", self.signed) {
            self.all.push((name.into(), wire));
        }
    }

    fn of_the_request_line(&mut self) {
        for method in ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"] {
            self.add(format!("method {method}"), |wire| wire.method = method.to_owned());
        }
        let is_service = self.signed.path == "/";
        self.add("another bucket", |wire| wire.path = wire.path.replacen(BUCKET, OTHER_BUCKET, 1));
        self.add("another key", |wire| wire.path = wire.path.replace("dir/", "dir2/"));
        self.add("key longer", |wire| wire.path += if is_service { BUCKET } else { "x" });
        self.add("slash at the end", |wire| wire.path += "/");
        self.add("slash doubled", |wire| wire.path = wire.path.replace("dir/", "dir//"));
        self.add("slash encoded", |wire| wire.path = wire.path.replace("dir/", "dir%2F"));
        self.add("dot segment", |wire| wire.path = wire.path.replace("dir/", "dir/./"));
        self.add("way up", |wire| wire.path = wire.path.replace("dir/", "dir/../dir/"));
        self.add("case of the key", |wire| wire.path = wire.path.replace("dir/", "Dir/"));
        self.add("key gone", |wire| wire.path = format!("/{BUCKET}"));
        for name in ["versionId", "uploadId", "tagging", "acl", "response-content-type", "partNumber"] {
            self.add(format!("parameter {name} added"), |wire| wire.query.push((name.to_owned(), "1".to_owned())));
        }
        // Version 2 signs some parameters only; what it does not sign cannot be told apart.
        let signs_all = self.proof != Proof::QueryV2;
        for (at, (name, value)) in self.signed.query.clone().into_iter().enumerate() {
            if !signs_all && matches!(name.as_str(), "list-type" | "id") {
                continue;
            }
            self.add(format!("parameter {name} changed"), |wire| wire.query[at].1 += "0");
            self.add(format!("parameter {name} removed"), |wire| drop(wire.query.remove(at)));
            self.add(format!("parameter {name} twice"), |wire| wire.query.push((name.clone(), format!("{value}1"))));
            self.add(format!("parameter {name} renamed"), |wire| wire.query[at].0 = "acl".to_owned());
        }
        if signs_all {
            self.add("parameter prefix added", |wire| wire.set_parameter("prefix", "d"));
            self.add("parameter x-id added", |wire| wire.set_parameter("x-id", "GetObject"));
        }
    }

    fn of_headers(&mut self) {
        for (name, value) in [
            ("x-amz-meta-evil", "1"),
            ("x-amz-copy-source", "/bucket-one/dir/key"),
            ("x-amz-acl", "private"),
            ("x-amz-tagging", "evil=1"),
            ("x-amz-security-token", "token"),
            ("x-amz-website-redirect-location", "/evil"),
        ] {
            self.add(format!("unsigned {name}"), |wire| wire.headers.push((name.to_owned(), value.to_owned())));
        }
        // Of those that are always there, each proof has its own changes.
        let own = ["host", "authorization", "x-amz-content-sha256"];
        for (at, (name, _)) in self.signed.headers.clone().into_iter().enumerate() {
            if own.contains(&name.as_str()) || (self.proof == Proof::QueryV2 && name == "content-encoding") {
                continue;
            }
            self.add(format!("header {name} changed"), |wire| wire.headers[at].1 += "0");
            self.add(format!("header {name} removed"), |wire| drop(wire.headers.remove(at)));
            self.add(format!("header {name} twice"), |wire| wire.headers.push((name.clone(), "1".to_owned())));
        }
        self.add("bucket as a host", |wire| wire.set_header("host", format!("{OTHER_BUCKET}.s3.test")));
        self.add("a second host", |wire| wire.headers.push(("host".to_owned(), "evil.test".to_owned())));
        self.add("another authority", |wire| wire.path = format!("http://evil.test{}", wire.path));
        if self.proof == Proof::QueryV2 {
            self.add("content type", |wire| wire.set_header("content-type", "text/html"));
            self.add("content MD5", |wire| wire.set_header("content-md5", "AAAA"));
        } else {
            self.add("another port", |wire| wire.headers[0].1 += "0");
            self.add("another host", |wire| wire.set_header("host", "evil.test"));
            self.add("no host", |wire| wire.remove_header("host"));
        }
    }

    fn of_the_proof(&mut self, other_access_key: &str) {
        let signature = self.signature();
        let (first, rest) = signature.split_at(1);
        let flipped = if first == "0" { "1" } else { "0" };
        let (start, last) = signature.split_at(signature.len() - 2);
        let forged = [
            ("first digit of the signature", format!("{flipped}{rest}")),
            ("last digits of the signature", format!("{start}{}", if last == "00" { "11" } else { "00" })),
            ("signature in the other case", flip_case(&signature)),
            ("signature cut", start.to_owned()),
            ("signature longer", format!("{signature}0")),
            ("signature of zeros", "0".repeat(signature.len())),
            ("signature empty", String::new()),
            ("signature that is no signature", "%00é".to_owned()),
        ];
        for (name, forged) in forged {
            self.add(name, |wire| replace(wire, &signature, &forged));
        }
        let access_key = self.access_key();
        self.add("access key of another user", |wire| replace(wire, &access_key, other_access_key));
        self.add("access key that nobody has", |wire| replace(wire, &access_key, "OGNOBODYKNOWSTHISKEY"));
        self.add("access key empty", |wire| replace(wire, &access_key, ""));
        match self.proof {
            Proof::QueryV2 => {
                self.add("later end", |wire| {
                    let expires: u64 = wire.parameter("Expires").unwrap().parse().unwrap();
                    wire.set_parameter("Expires", (expires + 1).to_string());
                });
                self.add("end in the past", |wire| wire.set_parameter("Expires", "1"));
                self.add("no number", |wire| wire.set_parameter("Expires", "soon"));
                self.add("another proof", |wire| wire.set_header("authorization", "AWS4-HMAC-SHA256 Credential=a"));
                return;
            }
            Proof::Query => {
                self.add("longer", |wire| wire.set_parameter("X-Amz-Expires", "604800"));
                self.add("too long", |wire| wire.set_parameter("X-Amz-Expires", "604801"));
                self.add("negative", |wire| wire.set_parameter("X-Amz-Expires", "-1"));
                self.add("another algorithm", |wire| wire.set_parameter("X-Amz-Algorithm", "AWS4-HMAC-SHA1"));
                self.add("payload", |wire| wire.set_parameter("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"));
                self.add("another proof", |wire| wire.set_header("authorization", "AWS4-HMAC-SHA256 Credential=a"));
            }
            Proof::Header | Proof::Chunks | Proof::ChunksAndTrailer => {
                self.add("no authorization", |wire| wire.remove_header("authorization"));
                self.add("two authorizations", |wire| {
                    wire.headers.push(("authorization".to_owned(), "AWS4-HMAC-SHA256 Credential=a".to_owned()));
                });
                self.add("another algorithm", |wire| replace(wire, "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA1 "));
                self.add("Version 2", |wire| wire.set_header("authorization", format!("AWS {access_key}:{signature}")));
                self.add("another proof", |wire| wire.set_parameter("X-Amz-Signature", signature.as_str()));
                for (name, payload) in [
                    ("body of nothing", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b856"),
                    ("body not signed", "UNSIGNED-PAYLOAD"),
                    ("chunks not signed", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
                    ("no trailer", "STREAMING-AWS4-HMAC-SHA256-PAYLOA"),
                ] {
                    self.add(name, |wire| wire.set_header("x-amz-content-sha256", payload));
                }
                self.add("no word on the body", |wire| wire.remove_header("x-amz-content-sha256"));
            }
        }
        self.add("another region", |wire| replace(wire, "us-east-1", "us-east-2"));
        self.add("another service", |wire| replace(wire, "/s3/", "/sts/"));
        self.add("another end of the scope", |wire| replace(wire, "aws4_request", "aws5_request"));
        let signed_host = if self.proof == Proof::Query { "X-Amz-SignedHeaders" } else { "SignedHeaders=" };
        self.add("host not signed", |wire| match self_query(wire, signed_host) {
            Some(list) => *list = list.replace("host", "x-amz-none"),
            None => replace(wire, "host;", ""),
        });
        self.add("one more signed header", |wire| match self_query(wire, signed_host) {
            Some(list) => list.push_str(";range"),
            None => replace(wire, "SignedHeaders=", "SignedHeaders=range;"),
        });
    }

    fn of_the_body(&mut self) {
        if self.proof != Proof::Header || self.signed.body.is_empty() {
            return;
        }
        self.add("a byte of the body", |wire| wire.body[10] ^= 1);
        self.add("the last byte of the body", |wire| *wire.body.last_mut().unwrap() ^= 1);
        self.add("body longer", |wire| wire.body.push(b' '));
        self.add("body shorter", |wire| wire.body.truncate(wire.body.len() - 1));
        self.add("no body", |wire| wire.body.clear());
    }

    fn of_chunks(&mut self, framed: &Framed) {
        let reframed = |change: &dyn Fn(&mut Framed)| {
            let mut framed = framed.clone();
            change(&mut framed);
            framed.bytes()
        };
        let last = framed.chunks.len() - 1;
        for at in 0..=last {
            let forged = reframed(&|framed| framed.chunks[at].1 = flip_case(&flip_digits(&framed.chunks[at].1)));
            self.add(format!("signature of chunk {at}"), |wire| wire.body = forged);
            let missing = reframed(&|framed| drop(framed.chunks.remove(at)));
            self.add(format!("chunk {at} missing"), |wire| wire.body = missing);
            if at < last {
                let changed = reframed(&|framed| framed.chunks[at].0[0] ^= 1);
                self.add(format!("a byte of chunk {at}"), |wire| wire.body = changed);
                let twice = reframed(&|framed| framed.chunks.insert(at, framed.chunks[at].clone()));
                self.add(format!("chunk {at} twice"), |wire| wire.body = twice);
            }
        }
        let swapped = reframed(&|framed| framed.chunks.swap(0, 1));
        self.add("chunks swapped", |wire| wire.body = swapped);
        self.add("data behind the end", |wire| wire.body.extend(b"more"));
        self.add("cut in the middle", |wire| wire.body.truncate(wire.body.len() / 2));
        self.add("not framed", |wire| wire.body = b"bare bytes\r\n".to_vec());
        let unsigned = String::from_utf8_lossy(&framed.bytes()).replace("chunk-signature=", "chunk-sign=");
        self.add("chunks without signatures", |wire| wire.body = unsigned.into_bytes());
        if framed.trailer.is_none() {
            let announced = [framed.bytes(), b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n".to_vec()].concat();
            self.add("a trailer nobody announced", |wire| wire.body = announced);
            return;
        }
        let trailer = |change: &dyn Fn(&mut (String, String, String))| {
            reframed(&|framed| framed.trailer.iter_mut().for_each(change))
        };
        for (name, body) in [
            ("trailer value", trailer(&|(_, value, _)| *value = "AAAAAA==".to_owned())),
            ("trailer name", trailer(&|(name, ..)| *name = "x-amz-checksum-sha1".to_owned())),
            ("trailer signature", trailer(&|(.., signature)| *signature = flip_digits(signature))),
            ("trailer signature empty", trailer(&|(.., signature)| signature.clear())),
            ("trailer missing", reframed(&|framed| framed.trailer = None)),
        ] {
            self.add(name, |wire| wire.body = body);
        }
    }

    fn signature(&self) -> String {
        let in_query = self.signed.parameter("X-Amz-Signature").or(self.signed.parameter("Signature"));
        let in_header = || self.signed.header("authorization")?.split("Signature=").nth(1);
        in_query.or_else(in_header).unwrap().to_owned()
    }

    fn access_key(&self) -> String {
        let credential = self.signed.parameter("AWSAccessKeyId").or(self.signed.parameter("X-Amz-Credential"));
        let in_header = || self.signed.header("authorization")?.split("Credential=").nth(1);
        credential.or_else(in_header).unwrap().split('/').next().unwrap().to_owned()
    }
}

/// In the query and in the headers.
fn replace(wire: &mut Wire, from: &str, to: &str) {
    let values = wire.query.iter_mut().chain(&mut wire.headers).map(|(_, value)| value);
    values.for_each(|value| *value = value.replace(from, to));
}

fn self_query<'a>(wire: &'a mut Wire, name: &str) -> Option<&'a mut String> {
    wire.query.iter_mut().find(|(have, _)| have == name).map(|(_, value)| value)
}

fn flip_case(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect()
}

fn flip_digits(hex: &str) -> String {
    hex.chars().map(|c| if c == '0' { '1' } else { '0' }).collect()
}
