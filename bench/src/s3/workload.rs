//! Workload: what one operation is, and the bytes and keys it uses.
//! Owns: keys, payloads, the requests of each operation.
//! Does not own: when it is done or how long it took (load).

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use rand::{Rng, RngExt, SeedableRng, rngs::SmallRng};

use crate::s3::LoadOptions;
use crate::s3::client::{Client, Request};

/// Object n starts n bytes into the payload, so neighbours differ and none is copied.
const PAYLOAD_SHIFTS: u64 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Put,
    Get,
    Head,
    List,
    Delete,
    Multipart,
    /// 55 % GET, 25 % PUT, 10 % HEAD, 5 % LIST, 5 % DELETE of an object just put.
    Mixed,
}

pub struct Workload {
    kind: Kind,
    pub bucket: String,
    pub objects: u64,
    pub sign_payload: bool,
    verify: bool,
    size: u64,
    part_size: u64,
    payload: Bytes,
    /// Names the run, so that two runs into one bucket do not overwrite each other.
    run: String,
    /// Next object to be stored: prepared ones come first.
    next_put: AtomicU64,
    next_delete: AtomicU64,
}

/// One operation done: what it was, and the user's bytes it moved.
pub struct Done {
    pub kind: Kind,
    pub bytes: u64,
}

impl Workload {
    pub fn new(options: &LoadOptions) -> Self {
        let mut payload = vec![0_u8; (options.size + PAYLOAD_SHIFTS) as usize];
        let mut random = SmallRng::seed_from_u64(options.size);
        random.fill_bytes(&mut payload);
        let objects = match options.operation {
            Kind::Put | Kind::Multipart => 0,
            _ => options.objects,
        };
        Self {
            kind: options.operation,
            bucket: options.bucket.clone(),
            objects,
            sign_payload: options.signed,
            verify: options.verify,
            size: options.size,
            part_size: options.part_size,
            payload: payload.into(),
            run: format!("{:08x}", rand::rng().random::<u32>()),
            next_put: AtomicU64::new(objects),
            next_delete: AtomicU64::new(0),
        }
    }

    /// Does one operation; `None` when there is nothing left to delete.
    pub async fn once(&self, client: &mut Client, random: &mut SmallRng) -> anyhow::Result<Option<Done>> {
        let kind = match self.kind {
            Kind::Mixed => match random.random_range(0..100) {
                0..55 => Kind::Get,
                55..80 => Kind::Put,
                80..90 => Kind::Head,
                90..95 => Kind::List,
                _ => Kind::Delete,
            },
            kind => kind,
        };
        let known = |random: &mut SmallRng| random.random_range(0..self.objects.max(1));
        let bytes = match kind {
            Kind::Put => {
                self.put(client, self.next_put.fetch_add(1, Ordering::Relaxed)).await?;
                self.size
            }
            Kind::Multipart => self.multipart(client, self.next_put.fetch_add(1, Ordering::Relaxed)).await?,
            Kind::Get => self.get(client, known(random)).await?,
            Kind::Head => {
                self.head(client, known(random)).await?;
                0
            }
            Kind::List => {
                self.list(client, known(random)).await?;
                0
            }
            Kind::Delete if self.kind == Kind::Mixed => {
                // The prepared objects stay: a GET may be after them.
                self.delete(client, self.objects + random.random_range(0..self.stored().max(1))).await?;
                0
            }
            Kind::Delete => {
                let number = self.next_delete.fetch_add(1, Ordering::Relaxed);
                if number >= self.objects {
                    return Ok(None);
                }
                self.delete(client, number).await?;
                0
            }
            Kind::Mixed => bail!("a mix is made of other kinds"),
        };
        Ok(Some(Done { kind, bytes }))
    }

    /// Objects that the run itself stored.
    pub fn stored(&self) -> u64 {
        self.next_put.load(Ordering::Relaxed) - self.objects
    }

    pub async fn put(&self, client: &mut Client, number: u64) -> anyhow::Result<()> {
        let body = self.body(number);
        client.document(Request { method: Method::PUT, path: &self.path(number), query: "", body }).await?;
        Ok(())
    }

    pub async fn delete(&self, client: &mut Client, number: u64) -> anyhow::Result<()> {
        client
            .document(Request { method: Method::DELETE, path: &self.path(number), query: "", body: Bytes::new() })
            .await?;
        Ok(())
    }

    async fn get(&self, client: &mut Client, number: u64) -> anyhow::Result<u64> {
        let path = self.path(number);
        let response = client.send(Request { method: Method::GET, path: &path, query: "", body: Bytes::new() }).await?;
        let status = response.status();
        let expected = self.body(number);
        let (mut body, mut received) = (response.into_body(), 0);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            let wrong =
                self.verify && status.is_success() && expected.get(received..received + data.len()) != Some(&data[..]);
            if wrong {
                client.abandon();
                bail!("GET {path} returned other bytes than were stored, in the {} from {received}", data.len());
            }
            received += data.len();
        }
        ensure!(status.is_success(), "GET {path} answered {status}");
        ensure!(received == expected.len(), "GET {path} returned {received} bytes of {}", expected.len());
        Ok(received as u64)
    }

    async fn head(&self, client: &mut Client, number: u64) -> anyhow::Result<()> {
        client
            .document(Request { method: Method::HEAD, path: &self.path(number), query: "", body: Bytes::new() })
            .await?;
        Ok(())
    }

    /// One page of up to 1,000 keys that starts at a random object.
    async fn list(&self, client: &mut Client, number: u64) -> anyhow::Result<()> {
        let query = format!("list-type=2&prefix={}%2F&start-after={}", self.run, self.key(number).replace('/', "%2F"));
        let path = format!("/{}", self.bucket);
        let (_, document) =
            client.document(Request { method: Method::GET, path: &path, query: &query, body: Bytes::new() }).await?;
        ensure!(document.ends_with(b"</ListBucketResult>"), "LIST answered something else");
        Ok(())
    }

    async fn multipart(&self, client: &mut Client, number: u64) -> anyhow::Result<u64> {
        let path = self.path(number);
        let create = Request { method: Method::POST, path: &path, query: "uploads=", body: Bytes::new() };
        let (_, document) = client.document(create).await?;
        let upload = element(&document, "UploadId").context("no UploadId in the answer")?;
        let body = self.body(number);
        let mut complete = String::from("<CompleteMultipartUpload>");
        for (index, start) in (0..body.len().max(1)).step_by(self.part_size.max(1) as usize).enumerate() {
            let part = body.slice(start..body.len().min(start + self.part_size as usize));
            let query = format!("partNumber={}&uploadId={upload}", index + 1);
            let put = Request { method: Method::PUT, path: &path, query: &query, body: part };
            let (headers, _) = client.document(put).await?;
            let etag = headers.get("etag").and_then(|value| value.to_str().ok()).context("no ETag for a part")?;
            complete += &format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>", index + 1);
        }
        complete += "</CompleteMultipartUpload>";
        let query = format!("uploadId={upload}");
        let (_, document) = client
            .document(Request { method: Method::POST, path: &path, query: &query, body: complete.into() })
            .await?;
        // A slow completion answers 200 before it knows; the document tells.
        ensure!(element(&document, "ETag").is_some(), "complete answered {}", String::from_utf8_lossy(&document));
        Ok(body.len() as u64)
    }

    fn key(&self, number: u64) -> String {
        format!("{}/{number:010}", self.run)
    }

    fn path(&self, number: u64) -> String {
        format!("/{}/{}", self.bucket, self.key(number))
    }

    fn body(&self, number: u64) -> Bytes {
        let start = (number % PAYLOAD_SHIFTS) as usize;
        self.payload.slice(start..start + self.size as usize)
    }
}

/// The text of the first element of that name, query-encoded as far as upload ids need it.
fn element(document: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(document).ok()?;
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once(&format!("</{name}>"))?;
    Some(percent_encoding::utf8_percent_encode(value, ENCODED).to_string())
}

/// What SigV4 wants encoded in a query: all but unreserved characters.
const ENCODED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[cfg(test)]
mod tests {
    use super::element;

    #[test]
    fn an_upload_id_is_found_and_encoded() {
        let document = b"<InitiateMultipartUploadResult><UploadId>a+b/c=</UploadId></InitiateMultipartUploadResult>";
        assert_eq!(element(document, "UploadId").as_deref(), Some("a%2Bb%2Fc%3D"));
        assert_eq!(element(document, "ETag"), None);
    }
}
