//! Browser forms: the proof is a signed policy, and everything else of the form must keep to it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::BUCKET;
use super::routes::OTHER_BUCKET;
use super::signer::Signer;
use super::wire::Wire;

const BOUNDARY: &str = "form-boundary";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V2,
    V4,
}

#[derive(Clone)]
pub struct Form {
    version: Version,
    fields: Vec<(String, String)>,
    file: Vec<u8>,
}

impl Form {
    /// One that is accepted.
    pub fn signed(signer: &Signer, version: Version) -> Self {
        Self::with_policy(signer, version, "2035-01-01T00:00:00Z", json!(["content-length-range", 1, 100]))
    }

    fn with_policy(signer: &Signer, version: Version, expiration: &str, size: serde_json::Value) -> Self {
        let mut fields = vec![
            ("key".to_owned(), "form/key".to_owned()),
            ("content-type".to_owned(), "text/plain".to_owned()),
            ("x-amz-meta-color".to_owned(), "blue".to_owned()),
            ("success_action_status".to_owned(), "204".to_owned()),
        ];
        if version == Version::V4 {
            fields.extend(signer.form_fields());
        }
        let mut conditions: Vec<_> = fields.iter().map(|(name, value)| json!({ name: value })).collect();
        conditions.extend([json!({ "bucket": BUCKET }), size]);
        let policy = STANDARD.encode(json!({ "expiration": expiration, "conditions": conditions }).to_string());
        match version {
            Version::V4 => fields.push(("x-amz-signature".to_owned(), signer.sign_text(&policy))),
            Version::V2 => {
                fields.push(("AWSAccessKeyId".to_owned(), signer.access_key.clone()));
                fields.push(("signature".to_owned(), signer.sign_text_v2(&policy)));
            }
        }
        fields.push(("policy".to_owned(), policy));
        Self { version, fields, file: b"the file".to_vec() }
    }

    pub fn request(&self, host: &str) -> Wire {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            let field = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(field.bytes());
        }
        let file = "Content-Disposition: form-data; name=\"file\"; filename=\"f\"";
        body.extend(format!("--{BOUNDARY}\r\n{file}\r\n\r\n").bytes());
        body.extend_from_slice(&self.file);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
        let mut wire = Wire { method: "POST".to_owned(), path: format!("/{BUCKET}"), body, ..Wire::default() };
        wire.set_header("host", host);
        wire.set_header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
        wire
    }

    /// Each field changed, removed, given twice; fields, files and buckets that the policy does not allow; and policies
    /// that were signed well but do not allow this form.
    pub fn changed(&self, signer: &Signer, host: &str) -> Vec<(String, Wire)> {
        let mut all = Vec::new();
        let mut add = |name: String, change: &dyn Fn(&mut Self)| {
            let mut form = self.clone();
            change(&mut form);
            all.push((name, form.request(host)));
        };
        for (at, (name, _)) in self.fields.iter().enumerate() {
            add(format!("{name} changed"), &|form| form.fields[at].1 += "0");
            add(format!("{name} empty"), &|form| form.fields[at].1.clear());
            add(format!("{name} removed"), &|form| drop(form.fields.remove(at)));
            add(format!("{name} twice"), &|form| form.fields.push((name.clone(), "1".to_owned())));
        }
        for (name, value) in [
            ("x-amz-meta-evil", "1"),
            ("acl", "public-read"),
            ("success_action_redirect", "https://evil.example"),
            ("tagging", "<Tagging><TagSet/></Tagging>"),
            ("x-amz-security-token", "token"),
            ("bucket", OTHER_BUCKET),
            ("content-encoding", "gzip"),
        ] {
            add(format!("{name} added"), &|form| form.fields.push((name.to_owned(), value.to_owned())));
        }
        add("file too long".to_owned(), &|form| form.file = vec![b'x'; 101]);
        add("no file".to_owned(), &|form| form.file.clear());
        add("key escapes by its name".to_owned(), &|form| form.fields[0].1 = "form/${filename}".to_owned());
        let mut sign = |name: &str, signer: &Signer, expiration: &str, size: serde_json::Value| {
            all.push((name.to_owned(), Self::with_policy(signer, self.version, expiration, size).request(host)));
        };
        let range = || json!(["content-length-range", 1, 100]);
        let later = "2035-01-01T00:00:00Z";
        sign("expired", signer, "2020-01-01T00:00:00Z", range());
        sign("no date", signer, "some day", range());
        sign("condition that is none", signer, later, json!(["like", "$key", "form/"]));
        sign("field that is not there", signer, later, json!(["starts-with", "$cache-control", ""]));
        sign("range the other way round", signer, later, json!(["content-length-range", 100, 1]));
        sign("wrong secret", &Signer { secret: "wrong".to_owned(), ..signer.clone() }, later, range());
        sign("unknown key", &Signer { access_key: "OGNOBODY".to_owned(), ..signer.clone() }, later, range());
        if self.version == Version::V4 {
            sign("for another service", &Signer { service: "sts".to_owned(), ..signer.clone() }, later, range());
            let yesterday = Signer { scope_at: signer.at - 86_400, ..signer.clone() };
            sign("scope of yesterday", &yesterday, later, range());
        }
        let mut elsewhere = self.request(host);
        elsewhere.path = format!("/{OTHER_BUCKET}");
        all.push(("another bucket".to_owned(), elsewhere));
        let mut unbounded = self.request(host);
        unbounded.set_header("content-type", "multipart/form-data");
        all.push(("no boundary".to_owned(), unbounded));
        all
    }
}
