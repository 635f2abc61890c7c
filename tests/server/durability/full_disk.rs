//! Full disk: writes are refused, reads and deletes go on, and the node recovers by itself. Whoever fills the drive.

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;

use super::drive::{Drive, allocate, fill};
use super::value::Piece;
use crate::http::get;
use crate::node::{ACCESS_KEY, Node, SECRET_KEY};
use crate::s3_client::client_with;

const BUCKET: &str = "bucket";
const FLAGS: [&str; 2] = ["--log", "error"];
/// The free space is looked at every second.
const SEEN_MAX: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_drive_refuses_writes_reads_on_deletes_and_recovers() {
    let Some(drive) = Drive::new(3 << 30) else { return };
    let data_dir = drive.path().join("data");
    let node = Node::start_in(&data_dir, &FLAGS);
    let client = client_with(&node.s3, ACCESS_KEY, SECRET_KEY);
    client.create_bucket().bucket(BUCKET).send().await.unwrap();
    let upload = client.create_multipart_upload().bucket(BUCKET).key("upload").send().await.unwrap().upload_id.unwrap();
    let part = client.upload_part().bucket(BUCKET).key("upload").upload_id(&upload).part_number(1);
    let etag = part.body(vec![1; 1000].into()).send().await.unwrap().e_tag.unwrap();

    let pieces: Vec<_> =
        (1..=24).map(|seed| Piece { seed, bytes: [1, 20_000, 300_000, 9_000_000][seed as usize % 4] }).collect();
    for piece in &pieces {
        assert_eq!(put(&client, &key(piece), *piece).await, 200);
    }
    // Below 1 GiB nothing is stored; what lies between that and 512 MiB is there for deletes.
    let ballast = drive.path().join("ballast");
    allocate(&ballast, free_bytes(&drive) - (800 << 20));
    until("writes are refused", async || put(&client, "probe", Piece { seed: 0, bytes: 10 }).await == 507).await;
    for bytes in [1, 300_000, 9_000_000] {
        assert_eq!(put(&client, "refused", Piece { seed: 0, bytes }).await, 507, "{bytes}");
        let part = client.upload_part().bucket(BUCKET).key("upload").upload_id(&upload).part_number(2);
        assert_eq!(status(part.body(vec![2; bytes].into()).send().await), 507, "{bytes}");
    }
    let copy = client.copy_object().bucket(BUCKET).key("copy").copy_source(format!("{BUCKET}/{}", key(&pieces[0])));
    assert_eq!(status(copy.send().await), 507);
    assert_eq!(status(client.create_multipart_upload().bucket(BUCKET).key("more").send().await), 507);
    verify(&client, &pieces, 1).await;
    // What makes room, or needs none.
    let (gone, stay) = pieces.split_at(8);
    for piece in gone {
        client.delete_object().bucket(BUCKET).key(key(piece)).send().await.unwrap();
    }
    verify(&client, stay, 1).await;
    let ready = get(&node, &format!("{}/healthz", node.web)).await.unwrap();
    assert!(ready.status().is_success());

    // Somebody else takes the last byte: now nothing changes, and reads still go on.
    let rest = drive.path().join("rest");
    fill(&rest);
    assert!(free_bytes(&drive) < 16 << 20, "{}", free_bytes(&drive));
    until("deletes are refused", async || {
        status(client.delete_object().bucket(BUCKET).key("nothing").send().await) == 507
    })
    .await;
    assert_eq!(put(&client, "refused", pieces[0]).await, 507);
    verify(&client, stay, 1).await;

    // Without a restart.
    std::fs::remove_file(rest).unwrap();
    std::fs::remove_file(ballast).unwrap();
    until("writes are taken", async || put(&client, "probe", Piece { seed: 0, bytes: 10 }).await == 200).await;
    for piece in gone {
        assert_eq!(put(&client, &key(piece), *piece).await, 200);
    }
    client.delete_object().bucket(BUCKET).key("probe").send().await.unwrap();
    let parts = aws_sdk_s3::types::CompletedPart::builder().part_number(1).e_tag(etag).build();
    let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder().parts(parts).build();
    let complete = client.complete_multipart_upload().bucket(BUCKET).key("upload").upload_id(&upload);
    complete.multipart_upload(parts).send().await.unwrap();
    verify(&client, &pieces, 0).await;
    node.kill();
    let node = Node::start_in(&data_dir, &FLAGS);
    verify(&client_with(&node.s3, ACCESS_KEY, SECRET_KEY), &pieces, 0).await;
    assert!(node.terminate().success());
}

fn key(piece: &Piece) -> String {
    format!("object-{}", piece.seed)
}

async fn put(client: &Client, key: &str, piece: Piece) -> u16 {
    status(client.put_object().bucket(BUCKET).key(key).body(piece.content().into()).send().await)
}

fn status<T, E: std::fmt::Debug>(reply: Result<T, SdkError<E>>) -> u16 {
    match reply {
        Ok(_) => 200,
        Err(error) => error.raw_response().unwrap_or_else(|| panic!("{error:?}")).status().as_u16(),
    }
}

/// Exactly these objects, but for the one that the upload became, and so many uploads.
async fn verify(client: &Client, pieces: &[Piece], uploads: usize) {
    for piece in pieces {
        let reply = client.get_object().bucket(BUCKET).key(key(piece)).send().await.unwrap();
        assert!(reply.body.collect().await.unwrap().into_bytes() == piece.content(), "{piece:?}");
    }
    let listed = client.list_objects_v2().bucket(BUCKET).prefix("object-").send().await.unwrap();
    assert_eq!(listed.contents().len(), pieces.len());
    let listed = client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert_eq!(listed.uploads().len(), uploads);
}

fn free_bytes(drive: &Drive) -> u64 {
    let free = rustix::fs::statvfs(drive.path()).unwrap();
    free.f_bavail * free.f_frsize
}

async fn until(what: &str, reached: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + SEEN_MAX;
    while !reached().await {
        assert!(Instant::now() < deadline, "{what}: not within {SEEN_MAX:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
